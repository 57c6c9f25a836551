import { concurrently } from '../../config/concurrently.js';
import type { AlertEvaluation } from '../../domain/alerts/incident.js';
import type { EvaluationChanges } from '../../domain/alerts/noise.js';
import { MS_PER_DAY } from '../../domain/time.js';
import { brokenKeyOf, createDocument, readDocument } from '../../storage/json-document.js';
import { listKeys } from '../../storage/list-keys.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { alertEvaluationSchema } from './evaluation-schema.js';

const PREFIX = '_state/alerts/evaluations/';
const DIGITS = 10;

export const evaluationKey = (sequence: number): string =>
  `${PREFIX}${String(sequence).padStart(DIGITS, '0')}.json`;

/** The sequence in the key of an evaluation; `undefined` for any other key. */
function sequenceOf(key: string): number | undefined {
  const digits = /^_state\/alerts\/evaluations\/(\d{10})\.json$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** How long an evaluation without transitions is kept: longer than a digest and a delivery can be late. */
const KEEP_UNCHANGED_MS = 2 * MS_PER_DAY;
/** How long one with transitions is kept: they are counted over 30 days, and the dataset `alerts` is made from them. */
export const KEEP_CHANGED_DAYS = 35;

/** What a process remembers of an evaluation. */
export interface EvaluationSummary extends EvaluationChanges {
  readonly sequence: number;
}

const summaryOf = ({ sequence, to, transitions }: AlertEvaluation): EvaluationSummary => ({
  sequence,
  to: Date.parse(to),
  changes: transitions.map(({ change, incident }) => {
    const { id, rule, subject, severity, owner, worst, fired_at } = incident;
    return { change, incident: { id, rule, subject, severity, owner, worst, fired_at } };
  }),
});

/** What stands in for a damaged evaluation. */
const unchanged = (before: AlertEvaluation, sequence: number): AlertEvaluation => ({
  ...before,
  sequence,
  transitions: [],
});

/** The state before a first evaluation. */
const NOTHING: AlertEvaluation = {
  sequence: 0,
  to: new Date(0).toISOString(),
  kind: 'data',
  pipeline_run_id: null,
  last: { data: null, service: null },
  observed_until: null,
  software: '',
  transitions: [],
  incidents: [],
};

/**
 * The chain of evaluations: n is computed from n − 1, and only one process can put n. All processes see the same chain, so
 * its transitions happen once. A damaged evaluation counts as one that changed nothing.
 */
export class AlertChain {
  /** The newest that this process has seen: its successors are few. */
  private known: AlertEvaluation | null = null;
  /** The sequences of those that are damaged. */
  private readonly broken = new Set<number>();
  /** By sequence. */
  private summaries = new Map<number, EvaluationSummary>();

  constructor(private readonly store: ObjectStore) {}

  /** @returns null on a store without evaluations */
  async newest(): Promise<AlertEvaluation | null> {
    let newest = this.known ?? (await this.newestListed());
    if (!newest) return null;
    for (;;) {
      const sequence: number = newest.sequence + 1;
      const next = await this.readable(sequence);
      if (!next) break;
      newest = next === 'damaged' ? unchanged(newest, sequence) : next;
    }
    this.known = newest;
    return newest;
  }

  /** @returns `undefined` if it was pruned or does not exist. @throws {StoreError} `broken_document` */
  private async read(sequence: number): Promise<AlertEvaluation | undefined> {
    return (await readDocument(this.store, evaluationKey(sequence), alertEvaluationSchema))?.value;
  }

  /** The keys of the damaged evaluations that the last call of `newest`, `after` or `history` found. */
  get damaged(): readonly string[] {
    return [...this.broken].sort((a, b) => a - b).map(evaluationKey);
  }

  private async readable(sequence: number): Promise<AlertEvaluation | 'damaged' | undefined> {
    try {
      const evaluation = await this.read(sequence);
      this.broken.delete(sequence);
      return evaluation;
    } catch (error) {
      if (brokenKeyOf(error) === undefined) throw error;
      this.broken.add(sequence);
      return 'damaged';
    }
  }

  /** @returns false if another process has put an evaluation with this sequence; nothing is changed then */
  async seal(evaluation: AlertEvaluation): Promise<boolean> {
    const document = { version: 1 as const, ...evaluation };
    const key = evaluationKey(evaluation.sequence);
    const sealed = await createDocument(this.store, key, alertEvaluationSchema, document);
    if (!sealed) return false;
    this.known = evaluation;
    this.summaries.set(evaluation.sequence, summaryOf(evaluation));
    return true;
  }

  /** The sequences of the stored evaluations, ascending, without reading them. */
  async sequences(): Promise<number[]> {
    const sequences: number[] = [];
    for await (const key of listKeys(this.store, PREFIX)) {
      const sequence = sequenceOf(key);
      if (sequence !== undefined) sequences.push(sequence);
    }
    return sequences;
  }

  /** The stored evaluations after `sequence`, oldest first. */
  async *after(sequence: number): AsyncGenerator<AlertEvaluation> {
    for (const each of await this.sequences()) {
      const evaluation = each > sequence ? await this.readable(each) : undefined;
      if (evaluation && evaluation !== 'damaged') yield evaluation;
    }
  }

  /** Those of these sequences that can be read, in their order. */
  async readAll(sequences: readonly number[]): Promise<AlertEvaluation[]> {
    const found = await concurrently(sequences, (sequence) => this.readable(sequence));
    return found.filter((each) => each !== undefined && each !== 'damaged');
  }

  /** What the stored evaluations changed, oldest first. Each is read once. */
  async history(): Promise<EvaluationSummary[]> {
    const found = await concurrently(await this.sequences(), async (sequence) => {
      const known = this.summaries.get(sequence);
      if (known) return known;
      const evaluation = await this.readable(sequence);
      return evaluation === undefined || evaluation === 'damaged' ? undefined : summaryOf(evaluation);
    });
    const history = found.filter((each) => each !== undefined);
    this.summaries = new Map(history.map((each) => [each.sequence, each]));
    return history;
  }

  /** Deletes evaluations that nothing needs any more. The newest one stays. @param now ms */
  async prune(now: number): Promise<void> {
    const history = await this.history();
    const old = history.slice(0, -1).filter(({ to, changes }) => {
      const keep = changes.length > 0 ? KEEP_CHANGED_DAYS * MS_PER_DAY : KEEP_UNCHANGED_MS;
      return to < now - keep;
    });
    // A damaged one is kept as long as one with transitions, by the time of the one after it.
    const changed = now - KEEP_CHANGED_DAYS * MS_PER_DAY;
    const damaged = [...this.broken].filter((sequence) => {
      const next = history.find((each) => each.sequence > sequence);
      return next !== undefined && next.to < changed;
    });
    for (const sequence of [...old.map((each) => each.sequence), ...damaged]) {
      await this.store.delete(evaluationKey(sequence));
      this.broken.delete(sequence);
    }
  }

  private async newestListed(): Promise<AlertEvaluation | null> {
    const sequences = await this.sequences();
    const last = sequences.at(-1);
    if (last === undefined) return null;
    for (const sequence of sequences.toReversed()) {
      const found = await this.readable(sequence);
      // Those after it are damaged. The next one gets a sequence of its own.
      if (found && found !== 'damaged') return sequence === last ? found : unchanged(found, last);
    }
    return unchanged(NOTHING, last);
  }
}
