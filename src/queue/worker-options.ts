/** A killed process is not a failure of its job: other workers recover the job this often before it fails. */
export const WORKER_OPTIONS = { maxStalledCount: 20, maxStartedAttempts: 25 } as const;
