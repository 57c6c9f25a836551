import { jest } from '@jest/globals';
import { Processes } from '../../../src/state/processes.js';
import { raiseVersions } from '../../../src/state/raise-versions.js';
import { readRulebook, updateRulebook } from '../../../src/state/rulebook.js';
import { FIRST_VERSIONS, type Versions, versionsInForce } from '../../../src/state/versions.js';
import { domainDefaults } from '../../support/defaults.js';
import { MemoryStore } from '../../support/memory-store.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RAISED = { rules: 2, schema: 2 };
let store: MemoryStore;
let now: number;
let lines: string[];

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick'] });
  store = new MemoryStore();
  lines = [];
  now = Date.parse('2026-03-10T12:00:00Z');
  const book = updateRulebook(undefined, { metadata: [], thresholds: [] }, domainDefaults, {
    at: 0,
    from: '',
  });
  store.objects.set('_state/rulebook.json', Buffer.from(JSON.stringify(book)));
});
afterEach(() => jest.useRealTimers());

const createProcess = (supported: Versions, roles = ['worker'], isShared = true) =>
  new Processes({
    store,
    supported,
    process: { host: 'h', pid: 1, roles },
    isShared,
    clock: () => now,
    log: (line) => lines.push(line),
  });

async function start(supported: Versions, roles?: string[]): Promise<Processes> {
  const process = createProcess(supported, roles);
  await process.onModuleInit();
  return process;
}

/** Lets time pass, in which these processes renew their documents every minute. */
async function pass(minutes: number, ...running: Processes[]): Promise<void> {
  for (let i = 0; i < minutes; i++) {
    now += MINUTE;
    for (const process of running) await process.renew();
  }
}

const documents = () => [...store.objects.keys()].filter((key) => key.startsWith('_state/processes/'));
const inForce = async () => versionsInForce(await readRulebook(store));

describe('the versions of a store', () => {
  it('are raised once no older process has renewed its document for 10 minutes', async () => {
    const older = await start(FIRST_VERSIONS);
    const newer = await start(RAISED);
    await pass(30, older, newer);
    expect(await raiseVersions(store, newer, now)).toBeUndefined();
    // The older one is killed.
    await pass(9, newer);
    expect(await raiseVersions(store, newer, now)).toBeUndefined();
    expect(await inForce()).toEqual(FIRST_VERSIONS);
    expect(lines).toEqual([expect.stringContaining('Older processes are present (1 on h)')]);
    await pass(1, newer);
    expect(await raiseVersions(store, newer, now)).toMatchObject(RAISED);
    expect(await inForce()).toMatchObject(RAISED);
    expect(await raiseVersions(store, newer, now)).toBeUndefined();
  });

  it('are raised at once when the older process has stopped', async () => {
    const older = await start(FIRST_VERSIONS);
    const newer = await start(RAISED);
    await older.onApplicationShutdown();
    expect(await raiseVersions(store, newer, now)).toMatchObject(RAISED);
  });

  it('are raised as far as all processes support, and are never lowered', async () => {
    const middle = await start({ rules: 2, schema: 1 });
    const newer = await start(RAISED);
    expect(await raiseVersions(store, newer, now)).toMatchObject({ rules: 2, schema: 1 });
    await middle.onApplicationShutdown();
    const older = await start(FIRST_VERSIONS);
    expect(await raiseVersions(store, older, now)).toBeUndefined();
    expect(await raiseVersions(store, newer, now)).toBeUndefined();
    expect(await inForce()).toMatchObject({ rules: 2, schema: 1 });
  });

  it('are raised at once in a folder, which has one process and needs no document', async () => {
    const only = createProcess(RAISED, ['worker'], false);
    await only.onModuleInit();
    expect(documents()).toEqual([]);
    expect(await raiseVersions(store, only, now)).toMatchObject(RAISED);
  });
});

describe('a process', () => {
  it('renews its document every minute, and deletes it when it stops', async () => {
    const process = await start(RAISED);
    const [key = ''] = documents();
    now += MINUTE;
    await jest.advanceTimersByTimeAsync(MINUTE);
    await process.renew();
    expect(JSON.parse(String(store.objects.get(key)))).toMatchObject({ renewed_at: now, supports: RAISED });
    await process.onApplicationShutdown();
    expect(documents()).toEqual([]);
  });

  it('starts although the store is unavailable', async () => {
    store.beforePut = () => {
      throw new Error('unavailable');
    };
    const process = await start(RAISED);
    store.beforePut = () => undefined;
    await process.renew();
    expect(documents()).toHaveLength(1);
  });

  it('deletes the documents of processes that were killed a day ago, within an hour', async () => {
    await start(FIRST_VERSIONS);
    const running = await start(RAISED);
    await pass(24 * 60 - 1, running);
    expect(documents()).toHaveLength(2);
    await pass(62, running);
    expect(documents()).toHaveLength(1);
  });

  it('leaves work to a newer worker that is present', async () => {
    const older = await start(FIRST_VERSIONS);
    await start(RAISED, ['api']);
    await older.leaveToNewer();
    const worker = await start(RAISED);
    await expect(older.leaveToNewer()).rejects.toMatchObject({ code: 'newer_process' });
    await worker.leaveToNewer();
    now += HOUR;
    await older.leaveToNewer();
  });
});
