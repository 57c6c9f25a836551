import { type DiagnosticsEvent, subscribe } from '../../src/observability/diagnostics.js';

/** The diagnostics events published during the work, whether it succeeds or fails. */
export async function eventsDuring(work: () => Promise<unknown>): Promise<DiagnosticsEvent[]> {
  const events: DiagnosticsEvent[] = [];
  const unsubscribe = subscribe((event) => events.push(event));
  try {
    await work().catch(() => undefined);
  } finally {
    unsubscribe();
  }
  return events;
}
