/** The jobs that this process works on, and when each moved on last. */
export class ActiveJobs {
  private readonly movedOn = new Map<string, number>();

  /** @param steady ms; never set: a clock that was, or a machine that slept, is no sign of work that stands still */
  constructor(private readonly steady: () => number = () => performance.now()) {}

  /** Holds the job while `work` goes on, which says by `heartbeat` that it does. */
  async track<T>(id: string, work: (heartbeat: () => void) => Promise<T>): Promise<T> {
    const heartbeat = () => this.movedOn.set(id, this.steady());
    heartbeat();
    try {
      return await work(heartbeat);
    } finally {
      this.movedOn.delete(id);
    }
  }

  /** For how long the job has not moved on that moved on longest ago, ms; 0 without any. */
  longestIdleMs(): number {
    return this.movedOn.size === 0 ? 0 : this.steady() - Math.min(...this.movedOn.values());
  }
}
