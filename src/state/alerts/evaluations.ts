import type { AlertEvaluation } from '../../domain/alerts/incident.js';
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
const KEEP_CHANGED_MS = 35 * MS_PER_DAY;

/**
 * The chain of evaluations: n is computed from n − 1, and only one process can put n. All processes see the same chain, so
 * its transitions happen once.
 */
export class AlertChain {
  /** The newest that this process has seen: its successors are few. */
  private known: AlertEvaluation | null = null;
  /** When the evaluations that are kept were made, ms, by sequence. */
  private readonly kept = new Map<number, { readonly to: number; readonly changed: boolean }>();

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
    if (sealed) this.known = evaluation;
    return sealed;
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

  /** Deletes evaluations that nothing needs any more. The newest one stays. @param now ms */
  async prune(now: number): Promise<void> {
    for (const sequence of (await this.sequences()).slice(0, -1)) {
      const age = await this.ageOf(sequence);
      if (!age) continue;
      const keep = age.changed ? KEEP_CHANGED_MS : KEEP_UNCHANGED_MS;
      if (age.to >= now - keep) {
        // Those that follow are newer: only ones without transitions could be older than two days.
        if (age.to >= now - KEEP_UNCHANGED_MS) return;
        continue;
      }
      await this.store.delete(evaluationKey(sequence));
      this.kept.delete(sequence);
    }
  }

  private async ageOf(sequence: number) {
    const known = this.kept.get(sequence);
    if (known) return known;
    const evaluation = await this.read(sequence);
    if (!evaluation) return undefined;
    const age = { to: Date.parse(evaluation.to), changed: evaluation.transitions.length > 0 };
    this.kept.set(sequence, age);
    return age;
  }

  private async newestListed(): Promise<AlertEvaluation | null> {
    const newest = (await this.sequences()).at(-1);
    return newest === undefined ? null : ((await this.read(newest)) ?? null);
  }
}
