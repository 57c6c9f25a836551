import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BIGINT,
  type DuckDBAppender,
  type DuckDBConnection,
  DuckDBDataChunk,
  DuckDBInstance,
  type DuckDBType,
  type DuckDBValue,
  JSDuckDBValueConverter,
  LIST,
  listValue,
  VARCHAR,
} from '@duckdb/node-api';
import { inSlices } from '../config/event-loop.js';
import { errorMessage, MonitorError } from '../domain/errors.js';
import type { Steps } from '../domain/steps.js';
import { defaultDuckMemory } from './duck-memory.js';

/** Injection token of the process's `Duck`. */
export const DUCK = Symbol('DUCK');

export interface DuckLimits {
  /** In DuckDB's notation: `1GB`, `60%`. By default what the memory limit of the container leaves. */
  readonly memory?: string | undefined;
  readonly threads?: number | undefined;
  readonly maxTempSize?: string | undefined;
  /** Where DuckDB spills data that does not fit into memory. By default below the folder, which this process must own then. */
  readonly temp?: string | undefined;
  /** Another folder whose files are read, an absolute path. */
  readonly alsoReads?: string | undefined;
}

/**
 * An in-memory DuckDB that can read and write one folder only: no credentials, no network, no extensions, and a
 * configuration that SQL cannot change.
 */
export class Duck {
  /** The macros that exist, by the statement that makes each. */
  private readonly macros: Macros = new Map();

  private constructor(
    private readonly instance: DuckDBInstance,
    private readonly folder: string,
  ) {}

  /** @param folder an absolute path */
  static async open(folder: string, limits: DuckLimits = {}): Promise<Duck> {
    const temp = limits.temp ?? join(folder, '.duckdb');
    await mkdir(temp, { recursive: true });
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: limits.memory ?? defaultDuckMemory(),
      ...(limits.threads ? { threads: String(limits.threads) } : {}),
      ...(limits.maxTempSize ? { max_temp_directory_size: limits.maxTempSize } : {}),
      temp_directory: temp,
      preserve_insertion_order: 'true',
    });
    const connection = await instance.connect();
    try {
      await connection.run("SET GLOBAL TimeZone = 'UTC'");
      const folders = [folder, ...(limits.alsoReads ? [limits.alsoReads] : [])];
      const list = folders.map((path) => `'${path.replaceAll("'", "''")}'`).join(', ');
      await connection.run(`SET allowed_directories = [${list}]`);
      await connection.run('SET enable_external_access = false');
      await connection.run('SET lock_configuration = true');
    } finally {
      connection.closeSync();
    }
    return new Duck(instance, folder);
  }

  /** Runs `work` on a new connection: temporary tables belong to a connection, so two jobs do not share them. */
  async session<T>(work: (session: DuckSession) => Promise<T>): Promise<T> {
    const connection = await this.instance.connect();
    try {
      return await work(new DuckSession(connection, this.folder, this.macros));
    } finally {
      connection.closeSync();
    }
  }

  close(): void {
    this.instance.closeSync();
  }
}

/** The size of DuckDB's vectors. */
const CHUNK_ROWS = 2048;

/** A column to write; nulls need an array. */
export interface Column {
  readonly type: DuckDBType;
  readonly values: Float64Array | readonly DuckDBValue[];
}

/** Integers above 2³¹ are passed as `bigint`. Lists contain strings and may be empty. */
export type Parameters = Readonly<
  Record<string, string | number | bigint | boolean | null | readonly string[]>
>;

/** What a Parquet file contains, by its footer. */
export interface ParquetContent {
  readonly rows: number;
  /** Bytes. */
  readonly size: number;
  /** The types by name, in the file's order and in DuckDB's notation. */
  readonly columns: ReadonlyMap<string, string>;
}

type Macros = Map<string, Promise<void>>;

export class DuckSession {
  constructor(
    private readonly connection: DuckDBConnection,
    private readonly folder: string,
    private readonly macros: Macros,
  ) {}

  /** The path of a new temporary file below `.tmp` of the folder, which the object store creates and empties when it opens. */
  tempFile(name: string): string {
    return join(this.folder, '.tmp', `${randomUUID()}-${name}`);
  }

  async run(statement: string, parameters?: Parameters): Promise<void> {
    await this.attempt(statement, () => this.connection.run(statement, ...bound(parameters)));
  }

  /**
   * Makes a macro for all sessions, unless one has made it before.
   * @param statement makes a macro that is not temporary, and whose name no other statement uses
   */
  async define(statement: string): Promise<void> {
    const made = this.macros.get(statement) ?? this.run(statement);
    this.macros.set(statement, made);
    try {
      await made;
    } catch (error) {
      this.macros.delete(statement);
      throw error;
    }
  }

  /** Reads the footer of a Parquet file. */
  async inspect(file: string): Promise<ParquetContent> {
    const [totals] = await this.rows<{ rows: number; size: number }>(
      'SELECT num_rows::DOUBLE AS rows, file_size_bytes::DOUBLE AS size FROM parquet_file_metadata($file)',
      { file },
    );
    // DESCRIBE takes no parameters.
    const described = await this.rows<{ column_name: string; column_type: string }>(
      `DESCRIBE SELECT * FROM read_parquet('${file.replaceAll("'", "''")}')`,
    );
    const columns = new Map(described.map(({ column_name, column_type }) => [column_name, column_type]));
    return { rows: totals?.rows ?? 0, size: totals?.size ?? 0, columns };
  }

  /** Rows as objects of plain JavaScript values. For small results only: one object per metric would take too much memory. */
  async rows<T>(statement: string, parameters?: Parameters): Promise<T[]> {
    const reader = await this.attempt(statement, () =>
      this.connection.runAndReadAll(statement, ...bound(parameters)),
    );
    return reader.getRowObjectsJS() as T[];
  }

  /** The columns of a result as arrays of plain JavaScript values. */
  async columns(statement: string, parameters?: Parameters): Promise<Record<string, unknown[]>> {
    const result = await this.attempt(statement, () => this.connection.run(statement, ...bound(parameters)));
    const chunks = await result.fetchAllChunks();
    return inSlices(columnSteps(result.deduplicatedColumnNames(), chunks));
  }

  /** The columns of a result as typed arrays, for millions of numbers. All must be DOUBLE and without nulls. */
  async doubles(statement: string, parameters?: Parameters): Promise<Float64Array[]> {
    const result = await this.attempt(statement, () => this.connection.run(statement, ...bound(parameters)));
    const chunks = await result.fetchAllChunks();
    return inSlices(doubleSteps(result.columnCount, chunks));
  }

  /** Creates a temporary table from columns of equal length. */
  async createTable(name: string, columns: Readonly<Record<string, Column>>): Promise<void> {
    const names = Object.keys(columns);
    const list = Object.values(columns);
    const declared = names.map((column, i) => `"${column}" ${list[i]?.type}`).join(', ');
    await this.run(`CREATE OR REPLACE TEMP TABLE ${name} (${declared})`);
    const appender = await this.connection.createAppender(name);
    await inSlices(appendSteps(appender, list));
    appender.closeSync();
  }

  private async attempt<T>(statement: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const message = errorMessage(error);
      throw new MonitorError(
        'duckdb',
        message.split('\n')[0] ?? message,
        { statement: statement.split('\n')[0] },
        // Memory and disk space may be available later; other errors end with the last attempt of the job.
        true,
        { cause: error },
      );
    }
  }
}

function* columnSteps(
  names: readonly string[],
  chunks: readonly DuckDBDataChunk[],
): Steps<Record<string, unknown[]>> {
  const columns = names.map((): unknown[] => []);
  for (const chunk of chunks) {
    for (const [column, values] of columns.entries()) {
      yield;
      for (const value of chunk.convertColumnValues(column, JSDuckDBValueConverter)) values.push(value);
    }
  }
  return Object.fromEntries(names.map((name, column) => [name, columns[column] ?? []]));
}

function* doubleSteps(count: number, chunks: readonly DuckDBDataChunk[]): Steps<Float64Array[]> {
  const rows = chunks.reduce((sum, chunk) => sum + chunk.rowCount, 0);
  const columns = Array.from({ length: count }, () => new Float64Array(rows));
  let from = 0;
  for (const chunk of chunks) {
    for (const [column, values] of columns.entries()) {
      yield;
      // `getColumnValues` would copy the values into an array of objects first.
      const vector = chunk.getColumnVector(column);
      for (let i = 0; i < vector.itemCount; i++) values[from + i] = Number(vector.getItem(i));
    }
    from += chunk.rowCount;
  }
  return columns;
}

function* appendSteps(appender: DuckDBAppender, columns: readonly Column[]): Steps<void> {
  const rows = columns[0]?.values.length ?? 0;
  for (let from = 0; from < rows; from += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows - from);
    const chunk = DuckDBDataChunk.create(
      columns.map(({ type }) => type),
      count,
    );
    for (const [column, { values }] of columns.entries()) {
      yield;
      // `setColumns` would need a copy of the values as an array.
      const vector = chunk.getColumnVector(column);
      for (let row = 0; row < count; row++) vector.setItem(row, values[from + row] as DuckDBValue);
      vector.flush();
    }
    appender.appendDataChunk(chunk);
  }
}

/**
 * Values of a prepared statement, with the types that DuckDB cannot infer from them. None if there are no parameters: the
 * statement then runs in one step instead of three (extract, prepare, run), which costs up to half as much.
 */
function bound(
  parameters: Parameters | undefined,
): [values?: Record<string, DuckDBValue>, types?: Record<string, DuckDBType>] {
  if (!parameters) return [];
  const values: Record<string, DuckDBValue> = {};
  const types: Record<string, DuckDBType> = {};
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && typeof value === 'object') {
      values[name] = listValue([...value]);
      types[name] = LIST(VARCHAR);
    } else {
      values[name] = value;
      if (typeof value === 'bigint') types[name] = BIGINT;
    }
  }
  return [values, types];
}

const statements = new Map<string, string>();

/** The text of a `.sql` file, relative to the calling module: `sql(import.meta.url, './sql/decide.sql')`. */
export function sql(base: string, path: string): string {
  const url = new URL(path, base);
  let text = statements.get(url.href);
  if (text === undefined) {
    text = readFileSync(url, 'utf8');
    statements.set(url.href, text);
  }
  return text;
}
