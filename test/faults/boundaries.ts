/** Where in its work a process is struck. */
export interface Boundary {
  /** An object is put into the store, a job into a queue, or the queue has heard that a job is done. */
  readonly on: 'put' | 'add' | 'acknowledge';
  /** A regular expression: of the object's key, or of the job's pipeline run. */
  readonly of: string;
  readonly condition?: 'ifMatch' | 'ifNoneMatch';
  /**
   * `before`: it has not begun. `after`: it has happened, and who asked for it does not know yet. `later`: who asked for
   * it knows, and does the next thing to the store.
   */
  readonly when: 'before' | 'after' | 'later';
}

const RUN = '^_state/runs/delta-\\d+/';
const JOB = '^delta-';

/** From the birth of a delta to its end. */
export const BOUNDARIES = {
  'record put': { on: 'put', of: `${RUN}record\\.json$`, condition: 'ifNoneMatch', when: 'after' },
  enqueued: { on: 'add', of: JOB, when: 'after' },
  'page fetched': { on: 'put', of: '^_raw/delta-', when: 'before' },
  'page stored': { on: 'put', of: '^_raw/delta-', when: 'after' },
  'marker put': { on: 'put', of: `${RUN}done/.*\\.fetch\\.json$`, when: 'after' },
  'base merged locally': { on: 'put', of: '^_base/', when: 'before' },
  'base put unanswered': { on: 'put', of: '^_base/', when: 'after' },
  'base put done': { on: 'put', of: '^_base/', when: 'later' },
  'judged locally': { on: 'put', of: '^runs/', when: 'before' },
  'derived put unanswered': { on: 'put', of: '^runs/', when: 'after' },
  'derived put done': { on: 'put', of: '^application_summary/', when: 'later' },
  'watermark put': { on: 'put', of: '^_state/watermark\\.json$', when: 'after' },
  'run finished': { on: 'put', of: `${RUN}record\\.json$`, condition: 'ifMatch', when: 'after' },
  'job acknowledged': { on: 'acknowledge', of: JOB, when: 'after' },
} as const satisfies Record<string, Boundary>;

export type BoundaryName = keyof typeof BOUNDARIES;
export const BOUNDARY_NAMES = Object.keys(BOUNDARIES) as BoundaryName[];

export const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGSTOP'] as const;
export type Signal = (typeof SIGNALS)[number];

export const BACKENDS = ['embedded', 'redis'] as const;
export type Backend = (typeof BACKENDS)[number];

/** How long a job is that of a worker that says nothing more, ms. */
export const LOCK_MS = 1_000;

/** What the program of `victim.mjs` is told. */
export interface VictimOptions {
  /** What its clock says when it starts, ms; then it goes on. */
  readonly now: number;
  readonly lockMs: number;
  readonly strike?: { readonly boundary: Boundary; readonly signal: Signal };
  /** A fault built in on purpose, for the tests to find. */
  readonly mutant?: Mutant;
}

/** `no fence`: puts of facts and derived objects are without a condition. `early watermark`: it moves with the plan. */
export type Mutant = 'no fence' | 'early watermark';
