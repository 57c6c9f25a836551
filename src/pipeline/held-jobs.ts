/** The jobs that this process works on, and when each moved on last. */
export class HeldJobs {
  private readonly movedOn = new Map<string, number>();

  /** @param steady ms; never set: a clock that was, or a machine that slept, is no sign of work that stands still */
  constructor(private readonly steady: () => number = () => performance.now()) {}

  /** Holds the job while `work` goes on, which says by `progressed` that it does. */
  async hold<T>(id: string, work: (progressed: () => void) => Promise<T>): Promise<T> {
    const progressed = () => this.movedOn.set(id, this.steady());
    progressed();
    try {
      return await work(progressed);
    } finally {
      this.movedOn.delete(id);
    }
  }

  /** For how long the job has not moved on that moved on longest ago, ms; 0 without any. */
  longestStill(): number {
    return this.movedOn.size === 0 ? 0 : this.steady() - Math.min(...this.movedOn.values());
  }
}
