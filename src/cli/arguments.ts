import { readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { backfillRequestSchema } from '../admin/backfills.js';
import { errno } from '../domain/errors.js';

/** A percentage, with or without its sign. */
export function percent(text: string): number {
  const [, number] = /^(\d+(?:\.\d+)?)\s*%?$/.exec(text.trim()) ?? [];
  if (number !== undefined) return Number(number);
  throw new InvalidArgumentError('Expected a percentage such as 2%.');
}

const MS_OF_UNIT: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** ms */
export function duration(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smh])$/.exec(text.trim()) ?? [];
  if (number !== undefined) return Number(number) * (MS_OF_UNIT[unit] ?? 1);
  throw new InvalidArgumentError('Expected a time such as 30s, 10m or 2h.');
}

/** @param max included */
export function wholeNumber(max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number <= max) return number;
    throw new InvalidArgumentError(`Expected a whole number from 0 to ${max}.`);
  };
}

/** The trimmed text of a file. */
export const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new InvalidArgumentError(`Cannot read the file (${errno(error)}).`);
  }
};

/** A UTC day, `YYYY-MM-DD`. */
export const day = (text: string): string => {
  const parsed = backfillRequestSchema.shape.from.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError('Expected a day such as 2026-03-31.');
  return parsed.data;
};
