import type { Queue } from 'bullmq';
import type { Clock } from '../config/runtime.js';
import type { AlertEvaluation } from '../domain/alerts/incident.js';
import type { QueueConnection } from '../queue/queue-connection.js';
import { type Eviction, evictionOf } from '../queue/redis-info.js';
import { AlertChain } from '../state/alerts/evaluations.js';
import type { CurrentLights } from '../state/current-lights.js';
import { loadServiceFacts, type ServiceFacts } from '../state/service-facts.js';
import type { ObjectStore } from '../storage/object-store.js';
import { CachedProbe, type ProbeResult } from './cached-probe.js';
import { loadQueueFacts, type QueueFacts } from './queue-facts.js';

export interface DependencyResults {
  readonly store: ProbeResult<unknown>;
  readonly facts: ProbeResult<ServiceFacts>;
  /** The newest evaluation; null before the first. */
  readonly alerts: ProbeResult<AlertEvaluation | null>;
  readonly queues: ProbeResult<readonly QueueFacts[]>;
  /** Of the Redis of the queues; `undefined` with the embedded queue. */
  readonly eviction: ProbeResult<Eviction | undefined>;
  /** `undefined` if this process does not compute them. */
  readonly lights: ProbeResult<CurrentLights> | undefined;
}

/** Less than the usual timeout of a probe or a scrape. */
const TIMEOUT_MS = 1_500;
const PROBE_FRESH_MS = 1_000;
const FACTS_FRESH_MS = 5_000;
/** Lights change with a published day or with the hour, and need a listing of the published objects. */
const LIGHTS_FRESH_MS = 30_000;

/** What this process depends on, each with its own probe: one that hangs does not hide the others. */
export class Dependencies {
  readonly store: CachedProbe<unknown>;
  readonly facts: CachedProbe<ServiceFacts>;
  readonly alerts: CachedProbe<AlertEvaluation | null>;
  readonly queues: CachedProbe<readonly QueueFacts[]>;
  readonly eviction: CachedProbe<Eviction | undefined>;
  readonly lights: CachedProbe<CurrentLights> | undefined;

  constructor(
    store: ObjectStore,
    queues: readonly Queue[],
    queue: QueueConnection,
    lights: (() => Promise<CurrentLights>) | undefined,
    clock: Clock,
  ) {
    const options = (freshMs: number) => ({ freshMs, timeoutMs: TIMEOUT_MS, clock });
    this.store = new CachedProbe(() => store.head('_state/source.json'), options(PROBE_FRESH_MS));
    this.facts = new CachedProbe(() => loadServiceFacts(store), options(FACTS_FRESH_MS));
    const chain = new AlertChain(store);
    this.alerts = new CachedProbe(() => chain.newest(), options(FACTS_FRESH_MS));
    this.queues = new CachedProbe(() => loadQueueFacts(queues, clock()), options(PROBE_FRESH_MS));
    this.eviction = new CachedProbe(async () => evictionOf(await queue.info()), options(FACTS_FRESH_MS));
    this.lights = lights && new CachedProbe(lights, options(LIGHTS_FRESH_MS));
  }

  async probeAll(): Promise<DependencyResults> {
    const [store, facts, alerts, queues, eviction, lights] = await Promise.all([
      this.store.get(),
      this.facts.get(),
      this.alerts.get(),
      this.queues.get(),
      this.eviction.get(),
      this.lights?.get(),
    ]);
    return { store, facts, alerts, queues, eviction, lights };
  }
}
