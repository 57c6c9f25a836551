/** The moment at which a process gets a signal. */
export interface Boundary {
  /** An object is put into the store, a job is added to a queue, or a completed job is acknowledged. */
  readonly on: 'put' | 'add' | 'acknowledge';
  /** A regular expression for the object's key or the job's pipeline run. */
  readonly of: string;
  readonly condition?: 'ifMatch' | 'ifNoneMatch';
  /**
   * `before`: the operation has not begun. `after`: it is executed, but the caller does not know it yet. `later`: the
   * caller knows it and accesses the store again.
   */
  readonly when: 'before' | 'after' | 'later';
}

const RUN = '^_state/runs/delta-\\d+/';
const JOB = '^delta-';

/** In the order in which a delta reaches them. */
export const BOUNDARIES = {
  'record put': { on: 'put', of: `${RUN}record\\.json$`, condition: 'ifNoneMatch', when: 'after' },
  enqueued: { on: 'add', of: JOB, when: 'after' },
  'page fetched': { on: 'put', of: '^_raw/delta-', when: 'before' },
  'page stored': { on: 'put', of: '^_raw/delta-', when: 'after' },
  'marker put': { on: 'put', of: `${RUN}done/.*\\.fetch\\.json$`, when: 'after' },
  'dirty days put': { on: 'put', of: '^_state/dirty/delta-', when: 'after' },
  'base merged locally': { on: 'put', of: '^_base/', when: 'before' },
  'base put unanswered': { on: 'put', of: '^_base/', when: 'after' },
  'base put done': { on: 'put', of: '^_base/', when: 'later' },
  'judged locally': { on: 'put', of: '^runs/', when: 'before' },
  'derived put unanswered': { on: 'put', of: '^runs/', when: 'after' },
  'sums put': { on: 'put', of: '^_sums/', when: 'before' },
  'forecast computed': { on: 'put', of: '^metric_forecast/', when: 'before' },
  'forecast put': { on: 'put', of: '^metric_forecast/', when: 'later' },
  'tails put': { on: 'put', of: '^_tails/', when: 'after' },
  'days selected': { on: 'put', of: `${RUN}done/all\\.select-rebuild\\.json$`, when: 'after' },
  'derived put done': { on: 'put', of: '^application_summary/', when: 'later' },
  'index learned': { on: 'put', of: '^_state/index/', when: 'before' },
  'index put': { on: 'put', of: '^_state/index/', when: 'after' },
  'day rebuilt': { on: 'put', of: `${RUN}done/.*\\.rebuild\\.json$`, when: 'after' },
  'watermark put': { on: 'put', of: '^_state/watermark\\.json$', when: 'after' },
  'quality judged': { on: 'put', of: '^_state/quality\\.json$', when: 'after' },
  'quality computed': { on: 'put', of: '^data_quality/', when: 'before' },
  'quality put': { on: 'put', of: '^data_quality/', when: 'later' },
  'run finished': { on: 'put', of: `${RUN}record\\.json$`, condition: 'ifMatch', when: 'after' },
  'job acknowledged': { on: 'acknowledge', of: JOB, when: 'after' },
} as const satisfies Record<string, Boundary>;

/** Those of a day with several parts: one is put, and another one is not. */
export const PART_BOUNDARIES = {
  'one base part put': { on: 'put', of: '^_base/', when: 'later' },
  'one part judged': { on: 'put', of: '^_sums/', when: 'later' },
  'one part forecast': { on: 'put', of: '^_tails/', when: 'later' },
  'one part aggregated': { on: 'put', of: '^application_summary/', when: 'later' },
} as const satisfies Record<string, Boundary>;

const ALL_BOUNDARIES = { ...BOUNDARIES, ...PART_BOUNDARIES };
export type BoundaryName = keyof typeof ALL_BOUNDARIES;
export const boundaryOf = (name: BoundaryName): Boundary => ALL_BOUNDARIES[name];

const namesOf = (boundaries: Partial<typeof ALL_BOUNDARIES>) => Object.keys(boundaries) as BoundaryName[];
export const BOUNDARY_NAMES = namesOf(BOUNDARIES);
export const PART_BOUNDARY_NAMES = namesOf(PART_BOUNDARIES);

export const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;
export type Signal = (typeof SIGNALS)[number];

export const BACKENDS = ['embedded', 'redis'] as const;
export type Backend = (typeof BACKENDS)[number];

/** How long a job belongs to a worker that no longer renews its lock, ms. */
export const LOCK_MS = 1_000;

/** Options of `victim.mjs`. */
export interface VictimOptions {
  /** The time at which its clock starts, ms. */
  readonly now: number;
  readonly lockMs: number;
  readonly interruption?: { readonly boundary: Boundary; readonly signal: Signal };
  /** A deliberate fault that the tests must find. */
  readonly mutant?: Mutant;
}

/** `no fence`: facts and derived objects are put unconditionally. `early watermark`: it moves at planning time. */
export type Mutant = 'no fence' | 'early watermark';
