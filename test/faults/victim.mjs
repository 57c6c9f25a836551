// The built service with a store and queues that send a signal to the process at one moment of its work.
// Its argument: `VictimOptions` of boundaries.ts, as JSON. It prints `reached` directly before the signal, `resumed` once a
// put before which it was interrupted has ended, and `idle` with the number of pipeline runs of each kind whenever no
// pipeline run is unfinished.
import 'reflect-metadata';
import { createInterface } from 'node:readline';
import { cacheCompiledCode } from '../../dist/config/compile-cache.js';

// Like src/main.ts: the tests start this program a hundred times.
cacheCompiledCode();
const { BullModule } = await import('@nestjs/bullmq');
const { Queue, Worker } = await import('bullmq');
const { startService } = await import('../../dist/cli/serve.js');
const { loadSettings } = await import('../../dist/config/settings.js');
const { ENGINE } = await import('../../dist/pipeline/engine.js');
const { openResources } = await import('../../dist/resources.js');

const { now, lockMs, interruption, mutant } = JSON.parse(process.argv[2]);
/** No interval of a worker is longer than the lock. */
const LOCK = { lockDuration: lockMs, stalledInterval: lockMs, drainDelay: lockMs / 1_000 };
const startedAt = Date.now();
const clock = () => now + Date.now() - startedAt;

let interrupted = false;
/** Whether the operation is done and the next access to the store sends the signal. */
let pending = false;

/** Sends the signal if this is the boundary. */
function reach(on, of, when, condition) {
  if (interrupted || !interruption) return;
  const { boundary } = interruption;
  if (pending) return interrupt();
  if (boundary.on !== on || !new RegExp(boundary.of).test(of)) return;
  if (boundary.condition && !(boundary.condition in (condition ?? {}))) return;
  if (boundary.when === when) interrupt();
  else pending = boundary.when === 'later' && when === 'after';
}

/** SIGKILL and SIGSTOP take effect before the next line; SIGTERM is handled when the event loop is free. */
function interrupt() {
  interrupted = true;
  process.stdout.write('reached\n');
  process.kill(process.pid, interruption.signal);
}

/** A store that reports every operation to `reach`. */
const observed = (store) => ({
  description: store.description,
  etagScope: store.etagScope,
  get(key) {
    reach('get', key, 'before');
    return store.get(key);
  },
  head(key) {
    reach('head', key, 'before');
    return store.head(key);
  },
  fetch(key, listed) {
    reach('fetch', key, 'before');
    return store.fetch(key, listed);
  },
  async put(key, body, condition) {
    const before = interrupted;
    reach('put', key, 'before', condition);
    const fenced = mutant !== 'no fence' || key.startsWith('_state/');
    const put = store.put(key, body, fenced ? condition : undefined);
    const etag = await (interrupted === before ? put : put.finally(() => process.stdout.write('resumed\n')));
    reach('put', key, 'after', condition);
    // Only deltas: the plans of other kinds would move the watermark too.
    if (mutant === 'early watermark' && /delta-\d+\/done\/all\.plan\.json$/.test(key))
      await moveWatermark(store, body);
    if (key.startsWith('_state/kinds/')) await reportIdle(store);
    return etag;
  },
  list(prefix) {
    reach('list', prefix, 'before');
    return store.list(prefix);
  },
  delete: (key) => store.delete(key),
  close: () => store.close(),
});

async function reportIdle(store) {
  const sequences = {};
  for await (const { key } of store.list('_state/kinds/')) {
    const kind = JSON.parse((await store.get(key)).body);
    if (kind.active.length > 0) return;
    sequences[key.slice('_state/kinds/'.length, -'.json'.length)] = kind.sequence;
  }
  process.stdout.write(`idle ${JSON.stringify(sequences)}\n`);
}

async function moveWatermark(store, plan) {
  const { to, chunks } = JSON.parse(plan);
  const experiments = Object.fromEntries(
    chunks.flatMap(({ experiment_ids }) => experiment_ids).map((id) => [id, to]),
  );
  await store.put('_state/watermark.json', Buffer.from(JSON.stringify({ version: 1, experiments })));
}

BullModule.queueClass = class extends Queue {
  async add(name, data, options) {
    const job = await super.add(name, data, options);
    reach('add', data.run, 'after');
    return job;
  }
};
BullModule.workerClass = class extends Worker {
  constructor(name, processor, options, ...more) {
    super(name, processor, { ...options, ...LOCK }, ...more);
  }
  async handleCompleted(result, job, ...more) {
    const next = await super.handleCompleted(result, job, ...more);
    reach('acknowledge', job.data.run, 'after');
    return next;
  }
};

const service = await startService(loadSettings(process.env), async (settings) => {
  const opened = await openResources(settings, clock);
  return { ...opened, store: observed(opened.store) };
});
// Stopped while it started.
if (!service) process.exit();
const { app, resources, stopped, close } = service;
createInterface(process.stdin).on('line', async (line) => {
  if (line === 'flush') await resources.queue.flush();
  await app.get(ENGINE).dispatch();
  process.stdout.write('dispatched\n');
});
await stopped;
await close();
process.exit();
