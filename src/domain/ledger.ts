/** Where the records of an experiment went that the pages of MLflow had. */
export interface LedgerEntry {
  /** Empty if the records do not name one. */
  readonly experiment_id: string;
  /** Distinct records: a run that can be read counts once, others once per content. */
  readonly records: number;
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly superseded: number;
  /** Runs without any time. They are fetched again. */
  readonly undated: number;
  /** Runs of days that are no longer kept. */
  readonly expired: number;
  readonly quarantined: number;
}
type LedgerCounts = Omit<LedgerEntry, 'experiment_id'>;

const NOTHING: LedgerCounts = {
  records: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  superseded: 0,
  undated: 0,
  expired: 0,
  quarantined: 0,
};

/** Counts the records of experiments. */
export class Ledger {
  private readonly counts = new Map<string, LedgerCounts>();

  add(experimentId: string | null, count: keyof LedgerCounts, records: number): void {
    const id = experimentId ?? '';
    const known = this.counts.get(id) ?? NOTHING;
    this.counts.set(id, { ...known, [count]: known[count] + records });
  }

  /** By experiment id. */
  entries(): LedgerEntry[] {
    return [...this.counts]
      .map(([experiment_id, counts]) => ({ experiment_id, ...counts }))
      .sort((a, b) => (a.experiment_id < b.experiment_id ? -1 : 1));
  }
}

/** How many records are in no count, or in several: 0 unless this service has an error. */
export function imbalanceOf({ records, ...counts }: LedgerCounts): number {
  const { inserted, updated, unchanged, superseded, undated, expired, quarantined } = counts;
  const counted = inserted + updated + unchanged + superseded + undated + expired + quarantined;
  return Math.abs(records - counted);
}
