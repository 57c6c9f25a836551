/** The jobs that this process is running, and when each made progress last. */
export class ActiveJobs {
  private readonly lastHeartbeats = new Map<string, number>();

  /** @param monotonicNow ms; the wall clock would take a correction of the time, or a suspended machine, for a stalled job */
  constructor(private readonly monotonicNow: () => number = () => performance.now()) {}

  /** Tracks the job until `work` settles. `work` calls `heartbeat` whenever it makes progress. */
  async track<T>(id: string, work: (heartbeat: () => void) => Promise<T>): Promise<T> {
    const heartbeat = () => this.lastHeartbeats.set(id, this.monotonicNow());
    heartbeat();
    try {
      return await work(heartbeat);
    } finally {
      this.lastHeartbeats.delete(id);
    }
  }

  /** The time since the oldest of the jobs' last heartbeats, ms; 0 if no job is running. */
  longestIdleMs(): number {
    if (this.lastHeartbeats.size === 0) return 0;
    return this.monotonicNow() - Math.min(...this.lastHeartbeats.values());
  }
}
