import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { readPages, readTypedPages, readUntypedPages } from '../../../src/enrichment/read-pages.js';
import { Duck, type DuckSession } from '../../../src/storage/duck.js';
import { rounds } from '../../support/rounds.js';

let folder: string;
let duck: Duck;
let file: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'read-pages-'));
  duck = await Duck.open(folder);
  file = join(folder, 'page.json');
});
afterAll(async () => {
  duck.close();
  await rm(folder, { recursive: true, force: true });
});

/** JSON texts of values that a server may send anywhere. */
const VALUES = [
  ...[
    '0',
    '1',
    '-1',
    '-0',
    '-0.0',
    '1.0',
    '1.5',
    '2.5',
    '-2.5',
    '1e3',
    '1E-7',
    '5e-324',
    '0.1',
    '1e16',
    '1e21',
  ],
  ...['1e400', '-1e400', '1.7976931348623157e308', '9007199254740993', '0.1234567890123456789012'],
  ...['9223372036854775807', '9223372036854775808', '-9223372036854775809', '18446744073709551616'],
  ...['123456789012345678901234567890', 'true', 'false', 'null', 'NaN', 'Infinity', '-Infinity'],
  ...[
    '""',
    '" "',
    '"\\ufeff"',
    '"\\ufeffa"',
    '"1"',
    '" 1"',
    '"2.5"',
    '"1e3"',
    '"1_0"',
    '"0x1"',
    '"true"',
    '"abc"',
  ],
  ...[
    '"NaN"',
    '"nan"',
    '"Infinity"',
    '"-inf"',
    '"1e400"',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\ud83d\\ude00"',
  ],
  ...[
    '"\\/"',
    '"\\"key\\":1"',
    '[]',
    '[null]',
    '[1]',
    '{}',
    '{"a":1.50}',
    '{"a":1,"a":2}',
    '{"key":"k","value":"v"}',
  ],
];
const value = fc.constantFrom(...VALUES);
/** Mostly `usual`, so that many pages fit. */
const mostly = (usual: fc.Arbitrary<string>) =>
  fc.oneof({ weight: 300, arbitrary: usual }, { weight: 1, arbitrary: value });
const text = fc.oneof(
  fc.constantFrom(
    '"a"',
    '"b"',
    '"A"',
    '"é"',
    '" x "',
    '"\\ud83d\\ude00"',
    '""',
    '" "',
    '"\\ufeff"',
    '"a\\nb"',
  ),
  fc.string({ unit: 'binary' }).map((each) => JSON.stringify(each)),
);
const integer = fc.oneof(
  fc.maxSafeInteger().map(String),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
);
/** Those that may be the value of a metric. */
const number = fc.constantFrom(
  ...VALUES.filter((each) => /\d|nan|inf/i.test(each) && !/[[{\\x_]/.test(each)),
);
const double = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }).map(String), integer, number);

/** An object whose fields may be missing, twice, or in any order. */
const object = (fields: Readonly<Record<string, fc.Arbitrary<string>>>): fc.Arbitrary<string> => {
  const names = Object.keys(fields);
  return fc
    .tuple(
      fc.tuple(...Object.values(fields)),
      fc.tuple(...names.map(() => fc.integer({ min: 0, max: 400 }))),
      mostly(fc.constant('')).map((extra) => (extra === '' ? [] : [`"extra":${extra}`, `"Key":${extra}`])),
    )
    .map(([values, fates, extra]) => {
      const parts = names.flatMap((name, i) => {
        const part = `${JSON.stringify(name)}:${values[i]}`;
        return fates[i] === 0 ? [part, part] : (fates[i] ?? 0) < 4 ? [] : [part];
      });
      return `{${[...extra, ...parts].join(',')}}`;
    });
};
const list = (entry: fc.Arbitrary<string>) =>
  mostly(fc.array(mostly(entry), { maxLength: 4 }).map((entries) => `[${entries.join(',')}]`));
const keyValues = list(object({ key: mostly(text), value: mostly(text) }));
const run = object({
  info: mostly(
    object({
      run_id: mostly(fc.constantFrom('"r1"', '"r2"')),
      run_name: mostly(text),
      experiment_id: mostly(fc.constantFrom('"1"', '2')),
      user_id: mostly(text),
      status: mostly(fc.constantFrom('"FINISHED"', '"RUNNING"')),
      start_time: mostly(fc.constantFrom('0', '1764000000000', '"1764000000000"')),
      end_time: mostly(fc.constantFrom('null', '1764000000001', '253402300799999')),
      lifecycle_stage: mostly(fc.constantFrom('"active"', '"deleted"')),
    }),
  ),
  data: mostly(
    object({
      metrics: list(
        object({
          key: mostly(text),
          value: mostly(double),
          step: mostly(integer),
          timestamp: mostly(integer),
          model_id: mostly(text),
          dataset_name: mostly(text),
        }),
      ),
      params: keyValues,
      tags: keyValues,
    }),
  ),
  inputs: fc.oneof(value, fc.json()),
  outputs: value,
});
const page = fc
  .tuple(fc.array(run, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([runs, pretty]) => `{${pretty ? '\n  ' : ''}"runs": [${runs.join(', ')}], "next_page_token": "t"}`);

const parsed = (session: DuckSession) =>
  session.rows<{ row: string }>('SELECT to_json(parsed)::VARCHAR AS row FROM parsed ORDER BY row');

const runText = (info: string, data: string, rest = '') =>
  `{"info":{"run_id":"r","experiment_id":"1","status":"FINISHED","lifecycle_stage":"active"${info}},"data":{${data}}${rest}}`;

describe('reading pages', () => {
  test('a page that fits the types has the same facts, digit for digit, as one that is read run by run', async () => {
    let fitting = 0;
    let others = 0;
    const property = fc.asyncProperty(page, (json) =>
      duck.session(async (session) => {
        await writeFile(file, json);
        const bytes = Buffer.byteLength(json);
        if (!(await readTypedPages(session, [file], bytes))) {
          others++;
          return;
        }
        fitting++;
        const typed = await parsed(session);
        await readUntypedPages(session, [file], bytes);
        expect(typed).toEqual(await parsed(session));
      }),
    );
    await fc.assert(property, { numRuns: rounds(120, 5_000) });
    expect(fitting).toBeGreaterThan(10);
    expect(others).toBeGreaterThan(5);
  });

  test.each([
    ['value', (v: string) => runText('', `"metrics":[{"key":"m","value":${v}}]`)],
    ['step', (v: string) => runText('', `"metrics":[{"key":"m","value":1,"step":${v}}]`)],
    ['key of a metric', (v: string) => runText('', `"metrics":[{"key":${v},"value":1}]`)],
    ['param', (v: string) => runText('', `"params":[{"key":"p","value":${v}}]`)],
    ['start_time', (v: string) => runText(`,"start_time":${v}`, '')],
    ['run_name', (v: string) => runText(`,"run_name":${v}`, '')],
    ['inputs', (v: string) => runText('', '', `,"inputs":${v}`)],
  ])('whatever the %s is, it has the same facts in both ways of reading', async (_, runOf) => {
    let fitting = 0;
    await duck.session(async (session) => {
      for (const each of VALUES) {
        const json = `{"runs": [${runOf(each)}]}`;
        await writeFile(file, json);
        const bytes = Buffer.byteLength(json);
        if (!(await readTypedPages(session, [file], bytes))) continue;
        fitting++;
        const typed = await parsed(session);
        await readUntypedPages(session, [file], bytes);
        expect(typed).toEqual(await parsed(session));
      }
    });
    expect(fitting).toBeGreaterThan(10);
  });

  const good = {
    info: {
      run_id: 'good',
      experiment_id: '1',
      status: 'FINISHED',
      start_time: 1,
      lifecycle_stage: 'active',
    },
  };
  const metricsOf = (metrics: string) =>
    `{"info":{"run_id":"bad","experiment_id":"1","status":"FINISHED","start_time":1,"lifecycle_stage":"active"},"data":{"metrics":${metrics}}}`;

  test.each([
    ['a metric that is not an object', '[1]'],
    ['metrics that are not a list', '{"key":"m","value":1}'],
    ['a value that is true', '[{"key":"m","value":true,"step":0,"timestamp":1}]'],
    ['a step that is true', '[{"key":"m","value":1,"step":true,"timestamp":1}]'],
    ['a timestamp beyond 64 bits', '[{"key":"m","value":1,"step":0,"timestamp":9223372036854775808}]'],
  ])('%s affects one run, whose text stays as it was sent', async (_, metrics) => {
    const bad = metricsOf(metrics);
    const json = `{"runs": [${JSON.stringify(good)}, ${bad}]}`;
    await writeFile(file, json);
    const rows = await duck.session(async (session) => {
      await readPages(session, [file], json.length);
      return session.rows('SELECT run_id, record FROM parsed ORDER BY run_id');
    });
    expect(rows).toEqual([
      { run_id: 'bad', record: bad },
      { run_id: 'good', record: null },
    ]);
  });

  test('one page that does not fit does not change what the other pages of its group say', async () => {
    const other = join(folder, 'other.json');
    await writeFile(file, `{"runs": [${metricsOf('[{"key":"m","value":0.1,"step":2.5}]')}]}`);
    await writeFile(other, '{"runs": [7]}');
    const rows = await duck.session(async (session) => {
      await readPages(session, [file, other], 1_000);
      return session.rows('SELECT run_id, reason, metrics[1].step::VARCHAR AS step FROM parsed ORDER BY ALL');
    });
    expect(rows).toEqual([
      { run_id: 'bad', reason: null, step: '3' },
      { run_id: null, reason: 'it has no run_id', step: null },
    ]);
  });
});
