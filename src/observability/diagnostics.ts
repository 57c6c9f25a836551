import { channel } from 'node:diagnostics_channel';

/** What the lower layers tell whoever counts, without knowing who that is. */
export type DiagnosticsEvent =
  /** One request to a service outside; `failed`: no answer, or none that can be used. A refusal of one thing is an answer. */
  | {
      readonly what: 'request';
      readonly upstream: 'mlflow' | 'catalog' | 'store';
      readonly outcome: 'answered' | 'failed';
    }
  /** A conditional put found another object than it demanded: the race for it was lost, and its writer starts over. */
  | { readonly what: 'store_conflict'; readonly object: 'dataset' | 'state' }
  /** A put ended without an answer that says whether it was carried out. */
  | { readonly what: 'store_unclear' };

const happenings = channel('mlflow-monitor');

/** Reaches all who listen before it returns. */
export function publish(happening: DiagnosticsEvent): void {
  happenings.publish(happening);
}

/** @returns what ends the listening */
export function subscribe(hear: (happening: DiagnosticsEvent) => void): () => void {
  const onMessage = (message: unknown) => hear(message as DiagnosticsEvent);
  happenings.subscribe(onMessage);
  return () => happenings.unsubscribe(onMessage);
}
