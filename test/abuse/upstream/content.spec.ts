import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { type Break, BrokenProxy } from './broken-proxy.js';
import { firstRun } from './watched-service.js';

const HOUR = 3_600_000;
const start = Date.now() - 2 * HOUR;
let mlflow: TrackingServer;
let proxy: BrokenProxy | undefined;
const ids = new Map<string, string>();

beforeEach(async () => {
  mlflow = await TrackingServer.start();
  ids.clear();
});
afterEach(async () => {
  await proxy?.close();
  proxy = undefined;
  await mlflow.close();
});

/** An application with one ordinary run. */
function application(name: string): string {
  const { experiment_id } = mlflow.experiment(name);
  const metrics = [{ key: 'accuracy', value: 0.9, step: 0, timestamp: start }];
  mlflow.run({ experiment_id, start_time: start, metrics, params: { text: 'TEXT' } });
  ids.set(name, experiment_id);
  return experiment_id;
}
/** Breaks the responses to searches of the runs of one application. */
const breakRunsOf =
  (name: string, change: (text: string) => ReturnType<Break>): Break =>
  (path, { experiment_ids }, text) =>
    path === 'runs/search' && [experiment_ids].flat().includes(ids.get(name) ?? '')
      ? change(text)
      : undefined;

/** Replaces a part of the JSON of a run, of this application only. */
const VALUES: [application: string, part: string, replacement: string][] = [
  ['lone surrogate', '"TEXT"', '"\\ud800"'],
  ['control characters', '"TEXT"', '"\u0001\n\t"'],
  ['a BOM before a name', '"accuracy"', '"\\ufeffaccuracy"'],
  ['NaN as a text', '"value":0.9', '"value":"NaN"'],
  ['Infinity as a text', '"value":0.9', '"value":"-Infinity"'],
  ['a number as a text', '"value":0.9', '"value":"0.9"'],
  ['a huge number', '"value":0.9', '"value":1e400'],
  ['a negative step', '"step":0', '"step":-9223372036854775808'],
  ['a step beyond 64 bits', '"step":0', '"step":99999999999999999999'],
  ['null tags', '"data":{', '"data":{"tags":null,'],
  ['a negative start', '"start_time":', '"start_time":-'],
  ['a list as params', '"params":[', '"params":[[],'],
];
/** What no dataset can have: these runs are in quarantine. */
const UNREADABLE = ['a step beyond 64 bits', 'a negative start', 'a list as params'];

describe('values that MLflow does not send', () => {
  it('make no application disappear but those whose run is in quarantine', async () => {
    for (const [name] of VALUES) application(name);
    application('good');
    proxy = await BrokenProxy.start(mlflow.uri, (path, _, text) => {
      if (path !== 'runs/search' || !text.includes('"runs"')) return undefined;
      const { runs, ...rest } = JSON.parse(text) as { runs: { info: { experiment_id: string } }[] };
      const broken = runs.map((run) => {
        const json = JSON.stringify(run);
        const value = VALUES.find(([name]) => ids.get(name) === run.info.experiment_id);
        if (!value) return json;
        const [name, part, replacement] = value;
        if (!json.includes(part)) throw new Error(`${name}: ${json} has no ${part}`);
        return json.replace(part, replacement);
      });
      return {
        body: `{"runs": [${broken.join(',')}]${JSON.stringify(rest).replace('{', ',').replace(',}', '}')}`,
      };
    });
    const { line, applications } = await firstRun('values of wrong types', proxy.uri);
    expect(line).toContain(`${UNREADABLE.length} quarantined`);
    expect(applications).toEqual(
      ['good', ...VALUES.map(([name]) => name).filter((name) => !UNREADABLE.includes(name))].sort(),
    );
  });
});

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, 'utf16le');
const TOKEN = '{"runs": [{"info": {"run_id": "x", "start_time": 1}}], "next_page_token": "same"}';
/** Responses to searches of one application; whether it can be read all the same. */
const RESPONSES: [application: string, change: (text: string) => ReturnType<Break>, readable: boolean][] = [
  ['HTML', () => ({ body: '<html>login</html>', headers: { 'Content-Type': 'text/html' } }), false],
  ['JSON as HTML', (body) => ({ body, headers: { 'Content-Type': 'text/html' } }), true],
  ['truncated', (text) => ({ body: text.slice(0, -20) }), false],
  [
    'another charset',
    (body) => ({ body, headers: { 'Content-Type': 'application/json; charset=latin1' } }),
    true,
  ],
  ['UTF-16', (text) => ({ body: utf16(text) }), false],
  ['JSON with a BOM', (text) => ({ body: `\ufeff${text}` }), true],
  ['a repeated token', () => ({ body: TOKEN }), false],
  ['null for runs', () => ({ body: '{"runs": null}' }), true],
  ['a number for runs', () => ({ body: '{"runs": -1}' }), false],
];

describe('responses of a broken proxy', () => {
  it('stop only the application that they are about', async () => {
    // An ordinary application after each: several failures in succession are an outage.
    for (const [name] of RESPONSES) for (const each of [name, `after ${name}`]) application(each);
    const changes = RESPONSES.map(([name, change]) => breakRunsOf(name, change));
    proxy = await BrokenProxy.start(mlflow.uri, (...args) => {
      const results = changes.map((change) => change(...args)).filter((result) => result !== undefined);
      return results.find(({ body }) => body !== args[2]) ?? results[0];
    });
    const { line, applications } = await firstRun('responses that are not JSON', proxy.uri);
    const unread = RESPONSES.filter(([, , readable]) => !readable).map(([name]) => name);
    expect(line).toContain(`not read: experiments ${unread.map((name) => ids.get(name)).join(', ')}`);
    const empty = ['null for runs'];
    const all = RESPONSES.flatMap(([name]) => [name, `after ${name}`]);
    expect(applications).toEqual(
      all.filter((name) => !unread.includes(name) && !empty.includes(name)).sort(),
    );
  });
});
