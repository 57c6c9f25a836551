import type { Queue } from 'bullmq';
import type { Clock } from '../config/tokens.js';
import type { CurrentLights } from '../pipeline/lights.js';
import type { ObjectStore } from '../storage/object-store.js';
import { loadQueueFacts, loadServiceFacts, type QueueFacts, type ServiceFacts } from './facts.js';
import { Look, type Seen } from './look.js';

/** What is looked at, and what was found, at about the same time. */
export interface SeenSources {
  readonly store: Seen<unknown>;
  readonly facts: Seen<ServiceFacts>;
  readonly queues: Seen<readonly QueueFacts[]>;
  /** undefined: this process does not know them. */
  readonly lights: Seen<CurrentLights> | undefined;
}

/** Probes and people ask often, and nobody waits longer than a probe. */
const LIMIT_MS = 1_500;
const PROBE_FRESH_MS = 1_000;
const FACTS_FRESH_MS = 5_000;
/** They change with a published day or with the hour, and cost a listing of what is published. */
const LIGHTS_FRESH_MS = 30_000;

/** The services and states on which this process depends, each looked at on its own: one that hangs hides no other. */
export class Sources {
  readonly store: Look<unknown>;
  readonly facts: Look<ServiceFacts>;
  readonly queues: Look<readonly QueueFacts[]>;
  readonly lights: Look<CurrentLights> | undefined;

  constructor(
    store: ObjectStore,
    queues: readonly Queue[],
    lights: (() => Promise<CurrentLights>) | undefined,
    clock: Clock,
  ) {
    const options = (freshMs: number) => ({ freshMs, limitMs: LIMIT_MS, clock });
    this.store = new Look(() => store.head('_state/source.json'), options(PROBE_FRESH_MS));
    this.facts = new Look(() => loadServiceFacts(store), options(FACTS_FRESH_MS));
    this.queues = new Look(() => loadQueueFacts(queues, clock()), options(PROBE_FRESH_MS));
    this.lights = lights && new Look(lights, options(LIGHTS_FRESH_MS));
  }

  async lookAtAll(): Promise<SeenSources> {
    const [store, facts, queues, lights] = await Promise.all([
      this.store.look(),
      this.facts.look(),
      this.queues.look(),
      this.lights?.look(),
    ]);
    return { store, facts, queues, lights };
  }
}
