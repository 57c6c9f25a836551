/** HTTP statuses of a server that is busy or broken for the moment. MLflow, the catalog and the store share them. */
const RETRYABLE_STATUSES = new Set([408, 429, 500, 502, 503, 504]);

export const isRetryableStatus = (status: number): boolean => RETRYABLE_STATUSES.has(status);
