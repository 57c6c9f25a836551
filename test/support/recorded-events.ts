import { type DiagnosticsEvent, subscribe } from '../../src/observability/diagnostics.js';

/** What is told while the work goes on, whether it succeeds or not. */
export async function eventsDuring(work: () => Promise<unknown>): Promise<DiagnosticsEvent[]> {
  const heard: DiagnosticsEvent[] = [];
  const end = subscribe((event) => heard.push(event));
  try {
    await work().catch(() => undefined);
  } finally {
    end();
  }
  return heard;
}
