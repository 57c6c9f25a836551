import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_FILE_BYTES, MAX_YAML_BYTES, readDataFile } from '../../../src/enrichment/data-file.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'data-file-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function read(text: string): Promise<unknown> {
  const file = join(folder, 'catalog');
  await writeFile(file, text);
  return readDataFile(file);
}
const rows = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ metric_name: `metric ${i}`, a: [i] }));
const yamlOf = (count: number) =>
  `metrics:\n${rows(count)
    .map(({ metric_name, a }) => `  - metric_name: ${metric_name}\n    a: [${a}]\n`)
    .join('')}`;

describe('a catalog file', () => {
  it.each([
    ['JSON', '{"metrics": [{"metric_name": "a\\u00e9"}]}', { metrics: [{ metric_name: 'aé' }] }],
    ['JSON with a byte order mark', '\ufeff {"metrics": []}', { metrics: [] }],
    ['YAML', 'metrics:\n  - { metric_name: a }', { metrics: [{ metric_name: 'a' }] }],
    ['YAML in brackets', '{metrics: [{metric_name: a}]} # all', { metrics: [{ metric_name: 'a' }] }],
    ['nothing', '', null],
  ])('may be %s', async (_, text, value) => {
    expect(await read(text)).toEqual(value);
  });

  it('is read as JSON where YAML differs', async () => {
    // The YAML parser rejects repeated keys.
    expect(await read('{"metrics": [], "metrics": [1]}')).toEqual({ metrics: [1] });
  });

  it('may be large', async () => {
    expect(await read(JSON.stringify({ metrics: rows(3_000) }, null, 2))).toEqual({ metrics: rows(3_000) });
    expect(await read(yamlOf(1_000))).toEqual({ metrics: rows(1_000) });
  });

  it.each([
    ['short', 10],
    ['long', 1_000],
  ])('has a line number in the error of %s YAML', async (_, count) => {
    await expect(read(`${yamlOf(count)}  - a: [\n  - b`)).rejects.toThrow(
      new RegExp(`line ${2 * count + 3}, column`),
    );
  });

  it('has a line number in the error of JSON', async () => {
    await expect(read('{\n  "metrics": [\n    1 ]]\n}')).rejects.toThrow(/line 3, column/);
    const long = 'a'.repeat(MAX_YAML_BYTES);
    const large = JSON.stringify({ metrics: [...rows(500), long] }, null, 1);
    const lines = large.split('\n').length;
    // The bracket before which a value is missing.
    await expect(read(large.replace(/\]\n\}$/, ',]\n}'))).rejects.toThrow(
      `not valid JSON at line ${lines - 1}, column 3`,
    );
    await expect(read(large.slice(0, -1))).rejects.toThrow(`not valid JSON at line ${lines}, column 1`);
  });

  it('is not read above its limits, which the error names', async () => {
    await expect(read(`metrics: [] # ${'a'.repeat(MAX_YAML_BYTES)}`)).rejects.toThrow(
      'a YAML file may have 4 MiB; write a larger catalog as JSON',
    );
    const file = join(folder, 'large');
    await writeFile(file, '{');
    await truncate(file, MAX_FILE_BYTES + 1);
    await expect(readDataFile(file)).rejects.toThrow('it has 65 MiB; at most 64 are read');
  });
});
