import { z } from 'zod';
import { readDocument, updateDocument } from '../../storage/json-document.js';
import type { ObjectStore } from '../../storage/object-store.js';

const schema = z.object({
  version: z.literal(1),
  /** By key. `until`: when it is forgotten. */
  values: z.record(z.string(), z.object({ value: z.json(), until: z.iso.datetime() })),
});

const keyOf = (channel: string): string => `_state/alerts/channels/${channel}.json`;

/**
 * What a channel remembers between messages: the threads that it has opened, and what it has started.
 * @param channel `<route>.<number>.<type>`
 */
export function channelMemory(store: ObjectStore, channel: string, clock: () => number) {
  const isKept = (until: string) => Date.parse(until) > clock();
  return {
    async read(): Promise<ReadonlyMap<string, unknown>> {
      const values = (await readDocument(store, keyOf(channel), schema))?.value.values ?? {};
      const kept = Object.entries(values).filter(([, { until }]) => isKept(until));
      return new Map(kept.map(([key, { value }]) => [key, value]));
    },
    /** @param until ms; a value that ends at once is deleted */
    async write(changes: Readonly<Record<string, unknown>>, until: number): Promise<void> {
      const end = new Date(until).toISOString();
      const added = Object.entries(changes).map(([key, value]) => [
        key,
        { value: z.json().parse(value), until: end },
      ]);
      await updateDocument(store, keyOf(channel), schema, (current) => ({
        version: 1 as const,
        values: Object.fromEntries(
          [...Object.entries(current?.values ?? {}), ...added].filter(
            (entry): entry is [string, z.infer<typeof schema>['values'][string]] =>
              typeof entry[1] === 'object' && isKept(entry[1].until),
          ),
        ),
      }));
    },
  };
}

/** The memory of a test message: nothing is kept. */
export const NO_MEMORY = {
  read: async (): Promise<ReadonlyMap<string, unknown>> => new Map(),
  write: async (): Promise<void> => undefined,
};
