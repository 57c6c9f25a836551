import type { IndexDocument } from '../../../src/storage/index-document.js';
import { indexKey } from '../../../src/storage/index-document.js';
import { lookAhead } from '../../../src/storage/look-ahead.js';
import { indexOf } from '../../../src/storage/object-index.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import type { Ahead, Publication, TempFiles } from '../../../src/storage/publish.js';
import { Actor, type Choose } from '../interleaving.js';
import { MemoryStore } from '../memory-store.js';
import { SteppedStore } from '../stepped-store.js';

/** Inputs that a publisher read before its first round. */
export interface InputsAhead extends Ahead {
  readonly facts: string;
  readonly book: string;
}

/**
 * A way to publish derived objects.
 * @param changed whether this publisher's merge changed the facts before
 * @param readAhead reads the ETags and then the inputs; undefined if this publisher reads them in its first round
 */
export type PublishRule = (
  store: ObjectStore,
  tempFiles: TempFiles,
  keys: readonly string[],
  publication: Publication<InputsAhead>,
  changed: boolean,
  readAhead: (() => Promise<InputsAhead>) | undefined,
) => Promise<unknown>;

/** An object of one day, which the index has a document for. */
export const derivedKey = (dataset: string): string => `${dataset}/2026/03/10/part-0.parquet`;
export const INDEX_KEY = indexKey('2026-03');

/** The content of a derived object that was made from these inputs. */
export const derivedObject = (key: string, facts: string, book: string): Buffer =>
  Buffer.from(JSON.stringify({ inputs: `${facts} ${book}`, rows: [key, facts, book] }));

export interface Scenario {
  readonly keys: readonly string[];
  /** The facts that each of two writers stores before it publishes. */
  readonly merges: readonly [string, string];
  /** The versions of the rulebook that are stored meanwhile, in this order. */
  readonly books: readonly string[];
  /** One writer may die between any two of its steps. */
  readonly crash: boolean;
  /** A third publisher starts after the last change of the inputs, while the writers may still be publishing. */
  readonly rebuild: boolean;
  /** Publishers look at the ETags and read the inputs before their first round, and save what they learned at the end. */
  readonly ahead?: boolean;
  /** Whether objects made from the first inputs are stored, and what the index says then. */
  readonly index?: 'empty' | Buffer | IndexDocument;
}

/** Whether all derived objects were made from the newest inputs and name them. */
export interface Outcome {
  readonly correct: boolean;
  /** After one more rebuild that runs alone. */
  readonly repaired: boolean;
}

/** Lets two writers, and whatever else the scenario has, take turns in one order. */
export async function play(rule: PublishRule, scenario: Scenario, choose: Choose): Promise<Outcome> {
  const { keys, merges, books, ahead = false, index } = scenario;
  const shared = new MemoryStore();
  if (index !== undefined) {
    for (const key of keys) shared.objects.set(key, derivedObject(key, '0', '0'));
    if (index !== 'empty') {
      shared.objects.set(INDEX_KEY, Buffer.isBuffer(index) ? index : Buffer.from(JSON.stringify(index)));
    }
  }
  const inputs = { facts: '0', book: '0' };
  let changesLeft = merges.length + books.length;
  let files = 0;

  const publish = async (step: () => Promise<void>, changed: boolean) => {
    const store = new SteppedStore(shared, step);
    const readInputs = async () => {
      await step();
      const { facts } = inputs;
      if (books.length > 0) await step();
      return { facts, book: inputs.book };
    };
    const readAhead = async () => {
      const datasets = keys.map((key) => key.split('/')[0]) as 'runs'[];
      const look = await lookAhead(store, [{ datasets, days: ['2026-03-10'] }], async () => 1);
      return { look, ...(await readInputs()) };
    };
    await rule(
      store,
      { tempFile: (name) => `/nowhere/${files++}-${name}` },
      keys,
      {
        recorded: async (file) => JSON.parse(String(store.files.get(file))).inputs,
        prepare: async (read) => {
          const { facts, book } = read ?? (await readInputs());
          const write = async (key: string, file: string) => {
            store.files.set(file, derivedObject(key, facts, book));
          };
          return { inputs: `${facts} ${book}`, write };
        },
      },
      changed,
      ahead ? readAhead : undefined,
    );
    if (ahead) await indexOf(store).save();
  };
  const writers = merges.map(
    (facts) =>
      new Actor(async (step) => {
        await step();
        const changed = facts !== inputs.facts;
        inputs.facts = facts;
        changesLeft--;
        await publish(step, changed);
      }),
  );
  const rulebook = new Actor(async (step) => {
    for (const book of books) {
      await step();
      inputs.book = book;
      changesLeft--;
    }
  });
  const isCorrect = () =>
    keys.every((key) => shared.objects.get(key)?.equals(derivedObject(key, inputs.facts, inputs.book)));

  const alive = [...writers, rulebook];
  for (const actor of alive) await actor.ready();
  let mayCrash = scenario.crash;
  let mayRebuild = scenario.rebuild;
  for (;;) {
    if (mayRebuild && changesLeft === 0) {
      mayRebuild = false;
      const rebuild = new Actor((step) => publish(step, false));
      await rebuild.ready();
      alive.push(rebuild);
    }
    const ready = alive.filter(({ ended }) => !ended);
    const actor = ready.length > 0 ? ready[choose(ready.length)] : undefined;
    if (!actor) break;
    await actor.step();
    // A crash at any point before its next step has the same effect.
    if (mayCrash && writers.includes(actor) && !actor.ended && choose(2) === 1) {
      mayCrash = false;
      alive.splice(alive.indexOf(actor), 1);
    }
  }
  const correct = isCorrect();
  const last = new Actor((step) => publish(step, false));
  for (await last.ready(); !last.ended; ) await last.step();
  return { correct, repaired: isCorrect() };
}
