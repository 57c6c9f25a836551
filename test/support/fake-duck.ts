import type { Duck, DuckSession } from '../../src/storage/duck.js';
import type { MemoryStore } from './memory-store.js';

/** The content of a file that a `FakeDuck` wrote: the names and values of its footer. */
export const fakeFile = (footer: Readonly<Record<string, string>>): Buffer =>
  Buffer.from(JSON.stringify(footer));

/**
 * Writes and reads files of a `MemoryStore` that have a footer and no rows, for tests of what is read and written and
 * when. Each base has one experiment with these metrics.
 */
export function fakeDuck({ files }: MemoryStore, metrics: readonly string[]): Duck {
  let names = 0;
  const session = {
    tempFile: () => `temp:${names++}`,
    async run(_statement: string, { file, inputs }: { file?: string; inputs?: string } = {}) {
      if (file && inputs) files.set(file, fakeFile({ inputs, of: file }));
    },
    async rows(statement: string, { file }: { file?: string } = {}) {
      if (!statement.includes('parquet_kv_metadata')) return [];
      const footer: object = JSON.parse(`${files.get(file ?? '')}`);
      return Object.entries(footer).map(([key, value]) => ({ key, value }));
    },
    async columns(_statement: string, { base }: { base?: string } = {}) {
      if (base === undefined) return {};
      return {
        experiment_id: [...metrics, ''].map(() => ':1'),
        metric_name: [...metrics.map((name) => `:${name}`), null],
      };
    },
    define: async () => undefined,
    doubles: async () => [],
    createTable: async () => undefined,
  };
  return {
    session: <T>(work: (session: DuckSession) => Promise<T>) => work(session as unknown as DuckSession),
    close: () => undefined,
  } as unknown as Duck;
}
