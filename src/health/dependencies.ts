import type { Queue } from 'bullmq';
import { type Clock } from '../config/runtime.js';
import type { CurrentLights } from '../state/current-lights.js';
import type { ObjectStore } from '../storage/object-store.js';
import { CachedProbe, type ProbeResult } from './cached-probe.js';
import { loadQueueFacts, loadServiceFacts, type QueueFacts, type ServiceFacts } from './facts.js';

/** What is looked at, and what was found, at about the same time. */
export interface DependencyResults {
  readonly store: ProbeResult<unknown>;
  readonly facts: ProbeResult<ServiceFacts>;
  readonly queues: ProbeResult<readonly QueueFacts[]>;
  /** undefined: this process does not know them. */
  readonly lights: ProbeResult<CurrentLights> | undefined;
}

/** Probes and people ask often, and nobody waits longer than a probe. */
const LIMIT_MS = 1_500;
const PROBE_FRESH_MS = 1_000;
const FACTS_FRESH_MS = 5_000;
/** They change with a published day or with the hour, and cost a listing of what is published. */
const LIGHTS_FRESH_MS = 30_000;

/** The services and states on which this process depends, each looked at on its own: one that hangs hides no other. */
export class Dependencies {
  readonly store: CachedProbe<unknown>;
  readonly facts: CachedProbe<ServiceFacts>;
  readonly queues: CachedProbe<readonly QueueFacts[]>;
  readonly lights: CachedProbe<CurrentLights> | undefined;

  constructor(
    store: ObjectStore,
    queues: readonly Queue[],
    lights: (() => Promise<CurrentLights>) | undefined,
    clock: Clock,
  ) {
    const options = (freshMs: number) => ({ freshMs, limitMs: LIMIT_MS, clock });
    this.store = new CachedProbe(() => store.head('_state/source.json'), options(PROBE_FRESH_MS));
    this.facts = new CachedProbe(() => loadServiceFacts(store), options(FACTS_FRESH_MS));
    this.queues = new CachedProbe(() => loadQueueFacts(queues, clock()), options(PROBE_FRESH_MS));
    this.lights = lights && new CachedProbe(lights, options(LIGHTS_FRESH_MS));
  }

  async probeAll(): Promise<DependencyResults> {
    const [store, facts, queues, lights] = await Promise.all([
      this.store.get(),
      this.facts.get(),
      this.queues.get(),
      this.lights?.get(),
    ]);
    return { store, facts, queues, lights };
  }
}
