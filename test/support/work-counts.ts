import { DuckDBInstance } from '@duckdb/node-api';
import { jest } from '@jest/globals';
import { DuckSession } from '../../src/storage/duck.js';
import { dayOfKey } from '../../src/storage/keys.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import { CountingStore } from './counting-store.js';

type Values = Parameters<DuckSession['run']>[1];

const STATEMENTS = ['run', 'rows', 'columns', 'doubles'] as const;
const PATH_IN_TEXT = /read_parquet\('([^']+)'\)/g;

/** What a pipeline run costs, in numbers that do not depend on the machine. */
export interface WorkCounts {
  /** Calls of the object store that are a request with a bucket; a long list would be several. */
  readonly requests: number;
  /** Those for objects of days: facts and published data. */
  readonly dayRequests: number;
  /** Rows of the Parquet files that statements read, each time they read them. */
  readonly rows: number;
  /** Pages of MLflow that statements parse, each time they parse them. */
  readonly parses: number;
}

/** Counts the work of one service in this process. Its store must be the result of `wrapStore`. */
export class WorkCounter {
  private store: CountingStore | undefined;
  private parses = 0;
  private readonly files: string[] = [];
  private readonly rowsOf = new Map<string, number>();
  private readonly spies: { mockRestore(): void }[] = [];

  readonly wrapStore = (store: ObjectStore): ObjectStore => {
    this.store = new CountingStore(store);
    return this.store;
  };

  start(): void {
    const record = (statement: string, parameters?: Values) => this.record(statement, parameters);
    for (const name of STATEMENTS) {
      const original: (this: DuckSession, statement: string, parameters?: Values) => unknown =
        DuckSession.prototype[name];
      const spy = jest.spyOn(DuckSession.prototype, name).mockImplementation(function (
        this: DuckSession,
        statement: string,
        parameters?: Values,
      ) {
        record(statement, parameters);
        return original.call(this, statement, parameters) as never;
      } as never);
      this.spies.push(spy);
    }
  }

  stop(): void {
    for (const spy of this.spies.splice(0)) spy.mockRestore();
  }

  /** @returns the result of `work` and what it cost */
  async measure<T>(work: () => Promise<T>): Promise<{ result: T; counts: WorkCounts }> {
    this.store?.take();
    this.parses = 0;
    this.files.length = 0;
    const result = await work();
    const requests = this.store?.requests.splice(0) ?? [];
    const dayRequests = requests.filter((request) => dayOfKey(request) !== undefined);
    const { parses, files } = this;
    let rows = 0;
    for (const file of [...files]) rows += await this.rowsIn(file);
    return { result, counts: { requests: requests.length, dayRequests: dayRequests.length, rows, parses } };
  }

  private record(statement: string, parameters: Values = {}): void {
    const texts = Object.values(parameters).flatMap((value) =>
      typeof value === 'string' ? [value] : Array.isArray(value) ? [...value] : [],
    );
    // DESCRIBE reads the footer alone.
    if (statement.includes('read_parquet') && !statement.startsWith('DESCRIBE')) {
      const named = [...statement.matchAll(PATH_IN_TEXT)].map(([, path = '']) => path);
      // A temporary file is one that a COPY writes.
      const isStored = (text: string) => text.endsWith('.parquet') && !text.includes('/.tmp/');
      const read = [...named, ...texts].filter(isStored);
      this.files.push(...read);
    }
    if (statement.includes('read_json')) this.parses += texts.filter((text) => text.endsWith('.json')).length;
  }

  /** Local copies are named by their ETag, so a path always has the same rows. */
  private async rowsIn(file: string): Promise<number> {
    const known = this.rowsOf.get(file);
    if (known !== undefined) return known;
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const statement = 'SELECT num_rows::DOUBLE FROM parquet_file_metadata($file)';
    const reader = await connection.runAndReadAll(statement, { file });
    const rows = Number(reader.getRows()[0]?.[0]);
    connection.closeSync();
    instance.closeSync();
    this.rowsOf.set(file, rows);
    return rows;
  }
}
