/** A killed process is no error of the job: it is handed on many times before it counts as poison. */
export const WORKER_OPTIONS = { maxStalledCount: 20, maxStartedAttempts: 25 } as const;
