import { unlink } from 'node:fs/promises';
import { BLOB, DOUBLE } from '@duckdb/node-api';
import { inSlices } from '../config/event-loop.js';
import { type DayPoints, hourlySums } from '../domain/hourly-sums.js';
import { dayStart } from '../domain/time.js';
import { bytesOfDoubles } from './double-bytes.js';
import { type DuckSession, sql } from './duck.js';
import { readFooter } from './footer.js';
import { partitionKey, sumsKey } from './keys.js';
import type { ObjectEntry, ObjectStore } from './object-store.js';
import type { DayPart } from './parts.js';
import {
  type Ahead,
  type Comparison,
  compareDerived,
  fetchExactly,
  type Look,
  lookAt,
  type Publication,
  type PublishCounts,
  publishDerived,
  recordedInputs,
} from './publish.js';

/** Raised when the content of `_sums` changes for the same rows: objects of another layout are computed again. */
const LAYOUT = 2;

/** What a `_sums` object names as its inputs, given those of the `enriched_metrics` of its day. */
const named = (inputs: string): string => `${LAYOUT} ${inputs}`;

type PartOfDay = Pick<DayPart, 'day' | 'part'>;

/**
 * Publishes the sums of a part of a day (`_sums`) from its `enriched_metrics`, unless the stored ones name the same inputs.
 * @param ahead if `enriched_metrics` was not written since
 */
export function publishSums(
  store: ObjectStore,
  session: DuckSession,
  part: PartOfDay,
  ahead?: Ahead,
): Promise<PublishCounts> {
  return publishDerived(store, session, keysOf(part), sumsOf(store, session, part), ahead);
}

/** Whether the stored sums of a part name the same inputs as its `enriched_metrics`. Downloads nothing. */
export function compareSums(
  store: ObjectStore,
  session: DuckSession,
  part: PartOfDay,
  ahead: Ahead,
): Promise<Comparison> {
  return compareDerived(store, keysOf(part), sumsOf(store, session, part), ahead);
}

const keysOf = ({ day, part }: PartOfDay): string[] => [sumsKey(day, part)];

function sumsOf(store: ObjectStore, session: DuckSession, { day, part }: PartOfDay): Publication {
  const recorded = (file: string) => readFooter(session, file, 'inputs');
  return {
    recorded,
    prepare: async (read) => {
      const enriched = await (read?.look ?? lookAt(store))(partitionKey('enriched_metrics', day, part));
      const inputs = enriched && (await recordedInputs(store, enriched, recorded));
      if (!enriched || inputs === undefined) return undefined;
      const write = async (_key: string, file: string) =>
        writeSums(session, day, await fetchExactly(store, enriched), file, inputs);
      return { inputs: named(inputs), write };
    },
  };
}

/** Local files of `_sums`, and those of them to delete after use. */
export interface SumsFiles {
  readonly files: readonly string[];
  readonly computed: readonly string[];
}

/** A stored `enriched_metrics` object. */
export interface EnrichedPart {
  readonly day: string;
  readonly part: number;
  readonly enriched: ObjectEntry;
}

/**
 * The sums of parts of days: the stored ones where they name the inputs of the `enriched_metrics`, or else computed from it. A
 * process may have died between the two puts, or a version without sums may have judged the day.
 * @throws {PreconditionFailedError} an object was replaced meanwhile
 */
export async function loadSums(
  store: ObjectStore,
  session: DuckSession,
  look: Look,
  parts: readonly EnrichedPart[],
): Promise<SumsFiles> {
  const recorded = (file: string) => readFooter(session, file, 'inputs');
  const files: string[] = [];
  const computed: string[] = [];
  for (const { day, part, enriched } of parts) {
    const inputs = await recordedInputs(store, enriched, recorded);
    const stored = await look(sumsKey(day, part));
    if (stored && inputs !== undefined && (await recordedInputs(store, stored, recorded)) === named(inputs)) {
      files.push(await fetchExactly(store, stored));
    } else {
      const file = session.tempFile('sums.parquet');
      await writeSums(session, day, await fetchExactly(store, enriched), file, inputs ?? '');
      files.push(file);
      computed.push(file);
    }
  }
  return { files, computed };
}

export const removeComputed = async ({ computed }: SumsFiles): Promise<void> => {
  for (const file of computed) await unlink(file).catch(() => undefined);
};

/**
 * Writes an object `_sums` of a day: exact sums of each series and hour over the eligible rows of its `enriched_metrics`.
 * @param enriched a local file
 * @param file where to write
 * @param inputs those that the `enriched_metrics` file names
 */
async function writeSums(
  session: DuckSession,
  day: string,
  enriched: string,
  file: string,
  inputs: string,
): Promise<void> {
  await session.run(sql(import.meta.url, './sql/day_series.sql'), { enriched });
  const sums = await inSlices(hourlySums(await readDayPoints(session, day, enriched)));
  await session.createTable('sums', {
    series: { type: DOUBLE, values: Float64Array.from(sums.day.keys()) },
    whole_day: { type: BLOB, values: sums.day.map(bytesOfDoubles) },
    hours: { type: BLOB, values: sums.hours.map(bytesOfDoubles) },
  });
  await session.run(sql(import.meta.url, './sql/copy_sums.sql'), {
    day,
    file,
    inputs: named(inputs),
  });
}

/**
 * The points of the series in the table `day_series`, by series and time: time in ms since the start of the day, value NaN if the
 * row has none.
 * @param enriched a local file
 */
export async function readDayPoints(session: DuckSession, day: string, enriched: string): Promise<DayPoints> {
  const statement = sql(import.meta.url, './sql/day_points.sql');
  const [series, time, value] = await session.doubles(statement, { enriched, from: BigInt(dayStart(day)) });
  const none = new Float64Array();
  return { series: series ?? none, time: time ?? none, value: value ?? none };
}
