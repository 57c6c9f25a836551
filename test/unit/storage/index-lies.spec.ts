import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { IndexDocument } from '../../../src/storage/index-document.js';
import { ObjectIndex } from '../../../src/storage/object-index.js';
import { publishDerived } from '../../../src/storage/publish.js';
import { chooseFrom, forEverySequence } from '../../support/interleaving.js';
import {
  derivedKey,
  derivedObject,
  type Outcome,
  type PublishRule,
  play,
  type Scenario,
} from '../../support/models/publishing.js';

const looksAhead: PublishRule = async (store, tempFiles, keys, publication, _changed, readAhead) =>
  publishDerived(store, tempFiles, keys, publication, await readAhead?.());

/** Mutant: what was read before the first round is used in all rounds. */
const neverReadsAgain: PublishRule = async (store, tempFiles, keys, { recorded, prepare }, _, readAhead) => {
  const ahead = await readAhead?.();
  return publishDerived(store, tempFiles, keys, { recorded, prepare: () => prepare(ahead) }, ahead);
};

/** Mutant: the inputs are read before the ETags. */
const inputsFirst: PublishRule = async (store, tempFiles, keys, publication, _changed, readAhead) => {
  const early = await readAhead?.();
  const late = await readAhead?.();
  const ahead = early && late && { ...early, look: late.look };
  return publishDerived(store, tempFiles, keys, publication, ahead);
};

const KEYS = [derivedKey('runs')];
/** What an index says of objects made from `stated` inputs if they have the ETag of those made from `actual` ones. */
const documentOf = (
  actual: [string, string],
  stated: [string, string],
  etag_scope = 'memory',
): IndexDocument => ({
  version: 1,
  etag_scope,
  names: [],
  derived: Object.fromEntries(
    [...KEYS, derivedKey('enriched_metrics')].map((key) => {
      const etag = createHash('sha256')
        .update(derivedObject(key, ...actual))
        .digest('hex');
      return [key, { etag, inputs: stated.join(' ') }];
    }),
  ),
  bases: {},
});

const NEW = ['1', '0'] as [string, string];
const OLD = ['0', '0'] as [string, string];
/** The stored objects were made from `OLD` inputs, and must be made from newer ones. */
const INDEXES = {
  right: documentOf(OLD, OLD),
  missing: 'empty',
  damaged: Buffer.from('{"version": 1'),
  'of a newer version of the service': Buffer.from('{"version": 2, "objects": []}'),
  older: documentOf(['before', '0'], ['before', '0']),
  newer: documentOf(NEW, NEW),
  'of another store, whose ETags mean something else': documentOf(OLD, NEW, 'another'),
} as const satisfies Record<string, Scenario['index']>;
type IndexName = keyof typeof INDEXES;
const NAMES = Object.keys(INDEXES) as IndexName[];

const SCENARIO = {
  keys: KEYS,
  merges: ['1', '1'],
  books: [],
  crash: false,
  rebuild: false,
  ahead: true,
} as const;

describe('two writers whose index is', () => {
  it.each(NAMES)('%s publish the newest inputs in every order', async (name) => {
    const all: Outcome[] = [];
    await forEverySequence(async (choose) => {
      all.push(await play(looksAhead, { ...SCENARIO, index: INDEXES[name] }, firstSteps(choose)));
    });
    expect(all.length).toBeGreaterThan(100);
    expect(all.filter(({ correct, repaired }) => !correct || !repaired)).toEqual([]);
  });
});

/** All sequences of the first choices, then the first possibility: all sequences would take minutes. */
function firstSteps(choose: (n: number) => number): (n: number) => number {
  let left = 8;
  return (n) => (left-- > 0 ? choose(n) : 0);
}

/** Often the same actor takes several steps, so that another stalls for long. */
const order = fc
  .array(fc.tuple(fc.nat({ max: 1000 }), fc.integer({ min: 1, max: 20 })), { maxLength: 30, size: 'max' })
  .map((bursts) => bursts.flatMap(([number, times]) => Array<number>(times).fill(number)));
const scenarios = fc.record({
  keys: fc.constantFrom(KEYS, [...KEYS, derivedKey('enriched_metrics')]),
  merges: fc.constantFrom<[string, string]>(['1', '2'], ['1', '1']),
  books: fc.constantFrom([], ['1'], ['1', '2']),
  crash: fc.boolean(),
  rebuild: fc.constant(true),
  ahead: fc.constant(true),
  index: fc.constantFrom(...NAMES.map((name) => INDEXES[name])),
});
const isRight = (rule: PublishRule) =>
  fc.asyncProperty(scenarios, order, async (scenario, numbers) => {
    const outcome = await play(rule, scenario, chooseFrom(numbers));
    return outcome.correct && outcome.repaired;
  });
const finds = async (rule: PublishRule) =>
  (await fc.check(isRight(rule), { numRuns: 10_000, endOnFailure: true })).failed;

describe('two writers and a rebuild that look ahead, with any index', () => {
  it('publish the newest inputs, even if a writer dies before or after it saves its index', async () => {
    await fc.assert(isRight(looksAhead), { numRuns: 300 });
  });

  it.each([
    ['what was read before the first round is used in all rounds', neverReadsAgain],
    ['the inputs are read before the ETags', inputsFirst],
  ])('publish older inputs in some order if %s', async (_, rule) => {
    expect(await finds(rule)).toBe(true);
  });

  it('skip what is outdated in some order if an entry is trusted whatever the ETag', async () => {
    const { find } = ObjectIndex.prototype;
    // The entry of the key, by the ETag that the index has for it.
    ObjectIndex.prototype.find = function (this: ObjectIndex, { key }) {
      const objects: ReadonlyMap<string, { readonly etag: string }> = Reflect.get(this, 'objects');
      const etag = objects.get(key)?.etag;
      return etag === undefined ? undefined : find.call(this, { key, etag });
    };
    try {
      expect(await finds(looksAhead)).toBe(true);
    } finally {
      ObjectIndex.prototype.find = find;
    }
  });
});
