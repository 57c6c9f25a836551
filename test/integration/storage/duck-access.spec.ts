import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duck } from '../../../src/storage/duck.js';

let folder: string;
let outside: string;
let duck: Duck;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'duck-'));
  outside = await mkdtemp(join(tmpdir(), 'outside-'));
  for (const each of [folder, outside]) await writeFile(join(each, 'a.csv'), 'x\n1\n');
  duck = await Duck.open(folder);
});
afterAll(async () => {
  duck.close();
  for (const each of [folder, outside]) await rm(each, { recursive: true });
});
const run = (statement: string) => duck.session((session) => session.run(statement));

describe('DuckDB', () => {
  it('reads and writes its folder', async () => {
    await run(`COPY (FROM read_csv('${folder}/a.csv')) TO '${folder}/b.csv'`);
  });

  it.each([
    ['reads no other folder', () => `FROM read_csv('${outside}/a.csv')`],
    [
      'leaves its folder by no path',
      () => `FROM read_csv('${folder}/../${outside.split('/').at(-1)}/a.csv')`,
    ],
    ['writes no other folder', () => `COPY (SELECT 1) TO '${outside}/b.csv'`],
    ['requests no server', () => `FROM read_csv('http://127.0.0.1:1/a.csv')`],
    ['attaches no database', () => `ATTACH '${outside}/c.duckdb'`],
    ['installs no extension', () => 'INSTALL httpfs'],
    ['accepts no other configuration', () => 'SET enable_external_access = true'],
    ['accepts no other folders', () => `SET allowed_directories = ['${outside}']`],
  ])('%s', async (_, statement) => {
    await expect(run(statement())).rejects.toThrow(/Permission Error|disabled|Cannot change|locked/);
  });
});
