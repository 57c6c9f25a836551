import { publish } from '../observability/diagnostics.js';

/** Reports the status of an unsuccessful response to the metrics if it denies access. */
export function reportDenied(upstream: 'mlflow' | 'catalog' | 'store', status: unknown): void {
  if (status === 401 || status === 403) publish({ type: 'denied', upstream });
}
