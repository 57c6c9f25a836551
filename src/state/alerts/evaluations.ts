import { concurrently } from '../../config/concurrently.js';
import type { AlertEvaluation } from '../../domain/alerts/incident.js';
import type { RuleChange } from '../../domain/alerts/noise.js';
import { MS_PER_DAY } from '../../domain/time.js';
import { createDocument, readDocument } from '../../storage/json-document.js';
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
export interface EvaluationSummary {
  readonly sequence: number;
  /** ms */
  readonly to: number;
  readonly changes: readonly RuleChange[];
}

const summaryOf = ({ sequence, to, transitions }: AlertEvaluation): EvaluationSummary => ({
  sequence,
  to: Date.parse(to),
  changes: transitions.map(({ change, incident: { rule } }) => ({ rule, change })),
});

/**
 * The chain of evaluations: n is computed from n − 1, and only one process can put n. All processes see the same chain, so
 * its transitions happen once.
 */
export class AlertChain {
  /** The newest that this process has seen: its successors are few. */
  private known: AlertEvaluation | null = null;
  /** By sequence. */
  private summaries = new Map<number, EvaluationSummary>();

  constructor(private readonly store: ObjectStore) {}

  /** @returns null on a store without evaluations */
  async newest(): Promise<AlertEvaluation | null> {
    const known = this.known ?? (await this.newestListed());
    if (!known) return null;
    let newest = known;
    for (;;) {
      const next = await this.read(newest.sequence + 1);
      if (!next) break;
      newest = next;
    }
    this.known = newest;
    return newest;
  }

  /** @returns `undefined` if it was pruned or does not exist */
  async read(sequence: number): Promise<AlertEvaluation | undefined> {
    return (await readDocument(this.store, evaluationKey(sequence), alertEvaluationSchema))?.value;
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
    for await (const { key } of this.store.list(PREFIX)) {
      const sequence = sequenceOf(key);
      if (sequence !== undefined) sequences.push(sequence);
    }
    return sequences;
  }

  /** The stored evaluations after `sequence`, oldest first. */
  async *after(sequence: number): AsyncGenerator<AlertEvaluation> {
    for (const each of await this.sequences()) {
      const evaluation = each > sequence ? await this.read(each) : undefined;
      if (evaluation) yield evaluation;
    }
  }

  /** What the stored evaluations changed, oldest first. Each is read once. */
  async history(): Promise<EvaluationSummary[]> {
    const found = await concurrently(await this.sequences(), async (sequence) => {
      const known = this.summaries.get(sequence);
      if (known) return known;
      const evaluation = await this.read(sequence);
      return evaluation && summaryOf(evaluation);
    });
    const history = found.filter((each) => each !== undefined);
    this.summaries = new Map(history.map((each) => [each.sequence, each]));
    return history;
  }

  /** Deletes evaluations that nothing needs any more. The newest one stays. @param now ms */
  async prune(now: number): Promise<void> {
    for (const { sequence, to, changes } of (await this.history()).slice(0, -1)) {
      const keep = changes.length > 0 ? KEEP_CHANGED_DAYS * MS_PER_DAY : KEEP_UNCHANGED_MS;
      if (to < now - keep) await this.store.delete(evaluationKey(sequence));
    }
  }

  private async newestListed(): Promise<AlertEvaluation | null> {
    const newest = (await this.sequences()).at(-1);
    return newest === undefined ? null : ((await this.read(newest)) ?? null);
  }
}
