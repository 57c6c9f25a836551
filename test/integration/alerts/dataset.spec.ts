import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TransitionPublisher } from '../../../src/alerts/transition-publisher.js';
import type { AlertEvaluation } from '../../../src/domain/alerts/incident.js';
import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import { advanceFirstDays } from '../../../src/state/retention.js';
import { Duck } from '../../../src/storage/duck.js';
import { FolderStore } from '../../../src/storage/folder-store.js';
import { partitionKey } from '../../../src/storage/keys.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import { EVIDENCE } from '../../unit/domain/alerts/incidents.js';
import { Evaluations, metric, PERIOD, START, signal } from '../../unit/domain/alerts/signals.js';

const DAY = 86_400_000;
const TODAY = '2026-11-28';
const TOMORROW = '2026-11-29';
const UNTIL = new Date(START + 5 * DAY).toISOString();

/** A store with a chain. */
class Scene {
  private constructor(
    readonly folder: string,
    readonly duck: Duck,
    readonly store: FolderStore,
  ) {}

  static async open(): Promise<Scene> {
    const folder = await mkdtemp(join(tmpdir(), 'alerts-dataset-'));
    return new Scene(folder, await Duck.open(folder), await FolderStore.open({ dir: folder }));
  }

  async close(): Promise<void> {
    this.duck.close();
    await this.store.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async seal(evaluations: readonly AlertEvaluation[]): Promise<void> {
    const chain = new AlertChain(this.store);
    for (const each of evaluations) expect(await chain.seal(each)).toBe(true);
  }

  /** As a process that was just started, unless it is used again. */
  publisher(now = START): TransitionPublisher {
    return new TransitionPublisher(this.store, this.duck, new AlertChain(this.store), () => now);
  }

  async bytes(day: string): Promise<Buffer | undefined> {
    const stored = await this.store.fetch(partitionKey('alerts', day));
    return stored && readFile(stored.file);
  }

  async rows(day: string, columns = '*') {
    const file = (await this.store.fetch(partitionKey('alerts', day)))?.file ?? '';
    const statement = `SELECT ${columns} FROM read_parquet($file)`;
    return this.duck.session((session) => session.rows<Record<string, unknown>>(statement, { file }));
  }
}

let scene: Scene;
const scenes: Scene[] = [];
const open = async () => {
  const opened = await Scene.open();
  scenes.push(opened);
  return opened;
};
beforeEach(async () => {
  scene = await open();
});
afterEach(async () => {
  for (const each of scenes.splice(0)) await each.close();
});

const recall = { rule: 'newest_run', subject: metric('fraud', 'recall'), evidence: EVIDENCE } as const;

/** A metric that turns critical, is acknowledged and muted, and is good again on the next day. */
function story(): readonly AlertEvaluation[] {
  const evaluations = Evaluations.quiet();
  const violated = signal('violated', { ...recall, owner: 'ml-fraud' });
  const [fired] = evaluations.next([violated]);
  if (!fired) throw new Error('it fires');
  const { id } = fired.incident;
  const at = new Date(evaluations.to).toISOString();
  evaluations.actions = {
    acknowledgements: [{ incident: id, at, by: 'ben' }],
    mutes: [
      {
        id: 'm',
        incident: id,
        application: null,
        metric: null,
        from: at,
        until: UNTIL,
        by: 'ana',
        reason: 'retraining',
      },
    ],
  };
  evaluations.next([violated]);
  evaluations.next([violated]);
  evaluations.next([signal('met', recall)], { to: Date.parse(`${TOMORROW}T00:00:00Z`) });
  return evaluations.all;
}

test('The dataset alerts has one row per transition, in the order of the chain', async () => {
  await scene.seal(story());
  await scene.publisher().publish();
  const columns =
    'transition_id, change, from_state, to_state, actor, mute_reason, strftime("timestamp", \'%H:%M\') AS at';
  expect(await scene.rows(TODAY, columns)).toEqual([
    {
      transition_id: '2-1',
      change: 'fired',
      from_state: 'ok',
      to_state: 'firing',
      actor: null,
      mute_reason: null,
      at: '09:10',
    },
    {
      transition_id: '3-1',
      change: 'muted',
      from_state: 'firing',
      to_state: 'firing',
      actor: 'ana',
      mute_reason: 'retraining',
      at: '09:15',
    },
    {
      transition_id: '3-2',
      change: 'acknowledged',
      from_state: 'firing',
      to_state: 'firing',
      actor: 'ben',
      mute_reason: null,
      at: '09:15',
    },
  ]);
  expect(await scene.rows(TOMORROW, 'transition_id, change')).toEqual([
    { transition_id: '5-1', change: 'recovering' },
  ]);
});

test('A row says what was measured, against which limit and why, and whose it is', async () => {
  await scene.seal(story());
  await scene.publisher().publish();
  const [row] = await scene.rows(TODAY);
  expect(row).toMatchObject({
    date: new Date(`${TODAY}T00:00:00Z`),
    timestamp: new Date(START + 2 * PERIOD),
    evaluation: 2n,
    pipeline_run_id: 'delta-1',
    rule: 'newest_run',
    scope: 'metric',
    application: 'fraud',
    metric_name: 'recall',
    item: null,
    severity: 'critical',
    value: 0.78,
    limit: 0.84,
    worst: 0.78,
    cause: 'new_value',
    reason: EVIDENCE.why,
    run_id: EVIDENCE.run?.run_id,
    since: new Date(START + 2 * PERIOD),
    owner: 'ml-fraud',
    digest_only: false,
    digest_reason: null,
  });
});

test('The same chain gives the same bytes, published at once or after each evaluation', async () => {
  const chain = story();
  await scene.seal(chain);
  await scene.publisher().publish();
  const other = await open();
  const publisher = other.publisher();
  for (const each of chain) {
    await other.seal([each]);
    await publisher.publish();
  }
  for (const day of [TODAY, TOMORROW]) expect(await other.bytes(day)).toEqual(await scene.bytes(day));
});

test('What a killed process left out is published with the next evaluation, and what is published stays', async () => {
  const [quiet, fired, ...later] = story();
  if (!quiet || !fired) throw new Error('two evaluations');
  await scene.seal([quiet, fired]);
  await scene.publisher().publish();
  const before = (await scene.store.head(partitionKey('alerts', TODAY)))?.etag;
  await scene.publisher().publish();
  expect((await scene.store.head(partitionKey('alerts', TODAY)))?.etag).toBe(before);
  await scene.seal(later);
  await scene.publisher(START + DAY).publish();
  expect(await scene.rows(TODAY, 'transition_id')).toHaveLength(3);
  expect(await scene.rows(TOMORROW, 'transition_id')).toHaveLength(1);
});

/** The store of a process that is gone `when` it puts an object of the dataset. */
const dying = (store: ObjectStore, when: 'before' | 'after'): ObjectStore =>
  new Proxy(store, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        const isDataset = property === 'put' && String(args[0]).startsWith('alerts/');
        if (isDataset && when === 'before') throw new Error('killed');
        const result: unknown = await member.apply(target, args);
        if (isDataset) throw new Error('killed');
        return result;
      };
    },
  });

test.each(['before', 'after'] as const)(
  'A process that is killed %s an object is put loses and doubles no row',
  async (when) => {
    await scene.seal(story());
    const victim = new TransitionPublisher(
      dying(scene.store, when),
      scene.duck,
      new AlertChain(scene.store),
      () => START,
    );
    await expect(victim.publish()).rejects.toThrow('killed');
    expect((await scene.bytes(TODAY)) !== undefined).toBe(when === 'after');
    await scene.publisher().publish();
    const undisturbed = await open();
    await undisturbed.seal(story());
    await undisturbed.publisher().publish();
    for (const day of [TODAY, TOMORROW]) expect(await scene.bytes(day)).toEqual(await undisturbed.bytes(day));
  },
);

test('Days that are not kept, and days whose evaluations may be pruned, are not written', async () => {
  await scene.seal(story());
  await advanceFirstDays(scene.store, { alerts: TOMORROW });
  await scene.publisher(START + 33 * DAY).publish();
  expect(await scene.bytes(TODAY)).toBeUndefined();
  expect(await scene.bytes(TOMORROW)).toBeDefined();
  const late = await open();
  await late.seal(story());
  await late.publisher(START + 34 * DAY).publish();
  expect([await late.bytes(TODAY), (await late.bytes(TOMORROW)) !== undefined]).toEqual([undefined, true]);
});
