import type { Queue } from 'bullmq';
import { Webhook } from 'standardwebhooks';
import type { Channel } from '../../../src/alerts/channels/contract.js';
import { type DeliveryOptions, deliver } from '../../../src/alerts/delivery/deliver.js';
import { Notifier } from '../../../src/alerts/delivery/notifier.js';
import type { Holder } from '../../../src/alerts/delivery/outbox-changes.js';
import type { AlertEvaluation, AlertIncident, AlertTransition } from '../../../src/domain/alerts/incident.js';
import type { DeliveryPolicy } from '../../../src/domain/alerts/routes.js';
import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import { MemoryStore } from '../../support/memory-store.js';
import type { Received } from '../../support/scripted-server.js';
import { CONTEXT } from './messages.js';
import { opened } from './opened.js';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const START = Date.parse('2026-11-28T10:00:00Z');

export const POLICY: DeliveryPolicy = {
  routes: [
    { name: 'default', owner: [], application: [], severity: [], continue: false, digest: true, ends: true },
  ],
  quiet_hours: null,
  digest: { at: '09:00', time_zone: 'UTC' },
};

export const channelTo = (url: string, label = 'hook'): Channel =>
  opened({ type: 'webhook', label }, { ALERT_WEBHOOK_URL: url, ALERT_WEBHOOK_SECRET: SECRET });

/** An evaluation with these transitions. */
export function evaluation(
  sequence: number,
  changes: readonly [AlertTransition['change'], AlertIncident][],
): AlertEvaluation {
  const at = new Date(START + sequence * 300_000).toISOString();
  return {
    sequence,
    to: at,
    kind: 'data',
    pipeline_run_id: null,
    observed_until: null,
    last: { data: at, service: null },
    software: 'test',
    transitions: changes.map(([change, incident], n) => ({
      id: `${sequence}-${n}`,
      at,
      from: 'ok',
      to: incident.state,
      change,
      incident,
      digest_only: false,
      digest_reason: null,
    })),
    incidents: changes.filter(([change]) => change === 'fired').map(([, incident]) => incident),
  };
}

/** A queue that remembers jobs by id, and runs them when the test says so. */
class ListedQueue {
  readonly jobs = new Map<string, { name: string; at: number }>();
  constructor(private readonly clock: () => number) {}
  async add(_: string, { name }: { name: string }, { jobId, delay }: { jobId: string; delay: number }) {
    if (!this.jobs.has(jobId)) this.jobs.set(jobId, { name, at: this.clock() + delay });
  }
  flush(): void {
    this.jobs.clear();
  }
}

/** The store and the queue that several processes share. */
export class Installation {
  readonly store = new MemoryStore();
  now = START + 3_600_000;
  readonly queue = new ListedQueue(() => this.now);
  readonly logged: string[] = [];
  private processes = 0;

  /** What a random number is. */
  random = 0;

  constructor(readonly channels: Record<string, Channel[]>) {}

  async evaluate(each: AlertEvaluation): Promise<void> {
    await new AlertChain(this.store).seal(each);
  }

  /** A process that seals and delivers. */
  process(store: MemoryStore = this.store, isSole = false) {
    const holder: Holder = { id: `process-${++this.processes}`, isSole };
    const log = (message: string) => void this.logged.push(message);
    const options: DeliveryOptions = {
      store,
      holder,
      clock: () => this.now,
      channelsOf: async (route) =>
        (this.channels[route] ?? []).map((channel) => ({ channel, address: `digest of ${channel.label}` })),
      random: () => this.random,
      context: async () => CONTEXT,
      log: { log, warn: log },
    };
    const queue = this.queue as unknown as Queue;
    const notifier = new Notifier({
      store,
      queue,
      holder,
      clock: () => this.now,
      policy: async () => POLICY,
      resent: async () => [{ route: 'default', channel: 0 }],
    });
    return { notifier, deliver: (name: string) => deliver(options, name) };
  }

  /** The store of a process that is gone after its n-th put, which is stored (`after`) or not. */
  dyingStore(puts: number, when: 'before' | 'after'): MemoryStore {
    let left = puts;
    const gone = () => {
      if (left <= 0) throw new Error('killed');
    };
    return new Proxy(this.store, {
      get(target, property) {
        const member: unknown = Reflect.get(target, property);
        if (typeof member !== 'function' || property === 'list') return member;
        return async (...args: unknown[]) => {
          gone();
          if (property === 'put' && --left === 0 && when === 'before') gone();
          const result: unknown = await member.apply(target, args);
          if (property === 'put') gone();
          return result;
        };
      },
    });
  }

  /** Runs all jobs that are due, and those that they enqueue. */
  async work({ notifier, deliver: run } = this.process()): Promise<void> {
    for (;;) {
      const due = [...this.queue.jobs].find(([, { at }]) => at <= this.now);
      if (!due) return;
      const [id, { name }] = due;
      this.queue.jobs.delete(id);
      if (await run(name)) await notifier.enqueue();
    }
  }
}

/** What a receiver of Standard Webhooks keeps: each verified message once, by its id. */
export function byId(received: readonly Received[]) {
  const messages = new Map<string, { title: string; news: string[]; times: number }>();
  for (const { body, headers } of received) {
    const id = String(headers['webhook-id']);
    const { data } = new Webhook(SECRET).verify(body, headers as Record<string, string>) as {
      data: { title: string; incidents: { id: string; news: string }[] };
    };
    const news = data.incidents.map((each) => `${each.id} ${each.news}`);
    messages.set(id, { title: data.title, news, times: (messages.get(id)?.times ?? 0) + 1 });
  }
  return messages;
}
