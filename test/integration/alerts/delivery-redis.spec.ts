import { type Job, Queue, Worker } from 'bullmq';
import type { Channel } from '../../../src/alerts/channels/contract.js';
import { type DeliveryOptions, deliver } from '../../../src/alerts/delivery/deliver.js';
import { Notifier } from '../../../src/alerts/delivery/notifier.js';
import type { QueueConnection } from '../../../src/queue/queue-connection.js';
import { queuePrefixOf } from '../../../src/queue/queue-connection.js';
import { openRedisQueue } from '../../../src/queue/redis-queue.js';
import { WORKER_OPTIONS } from '../../../src/queue/worker-options.js';
import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import { readDeliveries, readOutbox } from '../../../src/state/alerts/outbox.js';
import { MemoryStore } from '../../support/memory-store.js';
import { describeRedis } from '../../support/redis-server.js';
import { answer, ScriptedServer } from '../../support/scripted-server.js';
import { incident } from '../../unit/domain/alerts/incidents.js';
import { byId, channelTo, evaluation, POLICY } from './delivery-fixture.js';
import { CONTEXT } from './messages.js';

const MESSAGES = 12;

/** A process with the roles `scheduler` and `worker`, on a queue of its own connection. */
class Process {
  private constructor(
    readonly chain: AlertChain,
    readonly notifier: Notifier,
    readonly connection: QueueConnection,
    private readonly queue: Queue,
    private readonly worker: Worker,
  ) {}

  static async start(id: string, url: string, store: MemoryStore, channel: Channel): Promise<Process> {
    const connection = await openRedisQueue(url, queuePrefixOf('alerts'));
    const holder = { id, isSole: false };
    const queue = new Queue('notification', connection.options);
    const clock = Date.now;
    const notifier = new Notifier({
      store,
      queue,
      holder,
      clock,
      policy: async () => POLICY,
      resent: async () => [],
    });
    const options: DeliveryOptions = {
      store,
      holder,
      clock,
      channelsOf: async () => [{ channel, address: 'hook' }],
      random: () => 0,
      context: async () => CONTEXT,
      log: { log: () => undefined, warn: () => undefined },
    };
    const work = async ({ data }: Job<{ name: string }>) => {
      if (await deliver(options, data.name)) await notifier.enqueue();
    };
    const worker = new Worker('notification', work, {
      ...connection.options,
      ...WORKER_OPTIONS,
      concurrency: 4,
    });
    // A job whose lock was flushed is an error of the worker, not of the message.
    worker.on('error', () => undefined);
    return new Process(new AlertChain(store), notifier, connection, queue, worker);
  }

  /** Resolves with the next job that ends, in whatever way. */
  jobEnded(): Promise<unknown> {
    return new Promise((resolve) => {
      for (const event of ['completed', 'failed', 'error'] as const) this.worker.once(event, resolve);
    });
  }

  async stop(): Promise<void> {
    await this.worker.close();
    await this.queue.close();
    await this.connection.close();
  }
}

describeRedis('Messages on Redis', (redis) => {
  test('of two schedulers, with a flush in the middle, arrive once each', async () => {
    const store = new MemoryStore();
    const receiver = await ScriptedServer.start();
    /** Answers the message in the middle, which the receiver holds. */
    const held = new Promise<() => void>((resolve) => {
      receiver.script = [
        (response, ...rest) => {
          const reply = () => answer(204)(response, ...rest);
          if (receiver.received.length === MESSAGES / 2) resolve(reply);
          else reply();
        },
      ];
    });
    const start = (id: string) => Process.start(id, redis().url, store, channelTo(`${receiver.uri}/`));
    const processes = await Promise.all([start('first'), start('second')]);
    const [first, second] = processes;
    if (!first || !second) throw new Error('two processes');
    try {
      // Both decide, and one seals; both plan, seal and enqueue the messages.
      for (let sequence = 1; sequence <= MESSAGES; sequence++) {
        const next = evaluation(sequence, [['fired', incident({ id: `i${sequence}` })]]);
        await first.chain.newest();
        const sealed = await Promise.all(processes.map(({ chain }) => chain.seal(next)));
        expect(sealed.filter(Boolean)).toHaveLength(1);
      }
      await Promise.all(processes.map(({ notifier }) => notifier.sweep()));
      const reply = await held;
      await first.connection.flush();
      // As each minute. A message whose job was lost is enqueued again, but not the one that is being sent.
      const sweep = async () => {
        const ended = Promise.race(processes.map((each) => each.jobEnded()));
        await Promise.all(processes.map(({ notifier }) => notifier.sweep()));
        await ended;
      };
      await sweep();
      await sweep();
      reply();
      while ((await readOutbox(store)).unfinished.length > 0) await sweep();
    } finally {
      await Promise.all(processes.map((each) => each.stop()));
      await receiver.close();
    }
    const messages = byId(receiver.received);
    expect([...messages.values()].map(({ news }) => news.join()).sort()).toEqual(
      Array.from({ length: MESSAGES }, (_, i) => `i${i + 1} fired`).sort(),
    );
    expect([...messages.values()].filter(({ times }) => times > 1)).toEqual([]);
    const statuses = (await readDeliveries(store, 2 * MESSAGES)).map(({ status }) => status);
    expect(statuses).toEqual(Array.from({ length: MESSAGES }, () => 'delivered'));
  });
});
