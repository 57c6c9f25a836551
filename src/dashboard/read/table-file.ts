import { readFile, rm } from 'node:fs/promises';
import { NotAcceptableException } from '@nestjs/common';
import type { Request } from 'express';
import { type DuckSession, sql } from '../../storage/duck.js';
import { type Answer, etagOf } from './answers.js';

const CONTENT_TYPES = {
  csv: 'text/csv; charset=utf-8; header=present',
  parquet: 'application/vnd.apache.parquet',
} as const;

export type TableFormat = keyof typeof CONTENT_TYPES;

/** By media type, the default first. */
const FORMATS = {
  'application/json': 'json',
  'text/csv': 'csv',
  'application/vnd.apache.parquet': 'parquet',
} as const;

/**
 * The format of a response: that of the parameter, else the one that the header `Accept` prefers.
 * @throws {NotAcceptableException} the header allows none
 */
export function formatOf(request: Request, asked: TableFormat | 'json' | undefined): TableFormat | 'json' {
  if (asked !== undefined) return asked;
  const types = Object.keys(FORMATS);
  const type = request.accepts(types);
  if (type === false) throw new NotAcceptableException(`\`Accept\` allows none of ${types.join(', ')}.`);
  return FORMATS[type as keyof typeof FORMATS];
}

/**
 * The rows of a statement as a file.
 * @param create makes the table `exported`; passes its texts through the macro `cell`, so that spreadsheets do not take one for a formula
 * @param name of the file, without extension; characters that are not safe everywhere are replaced
 */
export async function tableAnswer(
  session: DuckSession,
  format: TableFormat,
  name: string,
  create: () => Promise<void>,
): Promise<Answer> {
  await session.run(sql(import.meta.url, `./sql/${format}_cell.sql`));
  await create();
  const file = session.tempFile(`export.${format}`);
  try {
    await session.run(sql(import.meta.url, `./sql/export_${format}.sql`), { file });
    const body = await readFile(file);
    const safeName = name.replaceAll(/[^A-Za-z0-9_-]+/g, '_').slice(0, 100);
    return {
      etag: etagOf(body),
      contentType: CONTENT_TYPES[format],
      filename: `${safeName}.${format}`,
      body,
      isGzipped: false,
    };
  } finally {
    await rm(file, { force: true });
  }
}
