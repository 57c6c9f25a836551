import { createHash } from 'node:crypto';
import { type DuckSession, sql } from './duck.js';

/**
 * One of the parts that a dataset has for a UTC day. Facts are divided by run id, derived datasets by application;
 * `platform_summary`, `quarantine` and `threshold_changes` are one object.
 */
export interface DayPart {
  /** `YYYY-MM-DD` */
  readonly day: string;
  /** 0 to `files` − 1 */
  readonly part: number;
  /** Number of parts of the day. */
  readonly files: number;
}

/** The number of parts of a day, which never changes (`src/state/partition-files.ts`). */
export type PartsOf = (day: string) => Promise<number>;

const HASH_DIGITS = 8;

/**
 * The part of a run id or an application: the first 8 hexadecimal digits of the SHA-256 of its UTF-8 bytes, as a number,
 * modulo the number of parts. `part_of` in SQL computes the same.
 */
export function partOf(text: string, files: number): number {
  const digits = createHash('sha256').update(text, 'utf8').digest('hex').slice(0, HASH_DIGITS);
  return Number.parseInt(digits, 16) % files;
}

/** Makes the macro `part_of`, for the statements that divide rows. */
export const createPartMacro = (session: DuckSession): Promise<void> =>
  session.define(sql(import.meta.url, './sql/part_of.sql'));

export const dayParts = (day: string, files: number): DayPart[] =>
  Array.from({ length: files }, (_, part) => ({ day, part, files }));

/** The parts of a day that may have rows of an application or run of `part` on another day. */
export function partsSharedWith({ part, files }: Pick<DayPart, 'part' | 'files'>, other: number): number[] {
  const common = greatestCommonDivisor(files, other);
  return Array.from({ length: other }, (_, each) => each).filter((each) => each % common === part % common);
}

const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b);
