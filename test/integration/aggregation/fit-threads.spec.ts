import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FitThreads } from '../../../src/aggregation/fit-threads.js';
import { fitHere } from '../../../src/aggregation/known-fits.js';
import { allPoints, regular } from '../../support/forecast-series.js';
import { noiseFrom } from '../../support/noise.js';

const BUILT = pathToFileURL(resolve('dist/aggregation/fit-thread.js'));
/** Answers with the number of points of each series, and ends when it is asked for an odd number of series. */
const SIMPLE = `
import { parentPort } from 'node:worker_threads';
parentPort.on('message', (all) => {
  if (all.length % 2 === 1) throw new Error('odd');
  parentPort.postMessage(all.map(({ times }) => String(times.length)));
});`;
/** Never answers. */
const SILENT = `
import { parentPort } from 'node:worker_threads';
parentPort.on('message', () => undefined);`;

const noise = noiseFrom(11);
const seriesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => allPoints(regular(3 + (i % 40), 1, (k) => k * (i % 3) + noise())));

describe('threads that fit', () => {
  let folder: string;
  const opened: FitThreads[] = [];
  const open = async (count: number, text?: string) => {
    let file = BUILT;
    if (text !== undefined) {
      const path = join(folder, `thread-${opened.length}.mjs`);
      await writeFile(path, text);
      file = pathToFileURL(path);
    }
    const threads = new FitThreads(count, file);
    opened.push(threads);
    return threads;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'fit-threads-'));
  });

  afterEach(async () => {
    for (const threads of opened.splice(0)) await threads.onApplicationShutdown();
  });

  afterAll(() => rm(folder, { recursive: true }));

  it.each([0, 1, 2, 3])('give the numbers of the main thread, in order (%i threads)', async (count) => {
    const series = seriesOf(131);
    const expected = await fitHere(series);
    expect(expected.filter((each) => each === null).length).toBeGreaterThan(0);
    expect(await (await open(count)).fitAll(series)).toEqual(expected);
  });

  it('compute many fits, while a few stay in the main thread', async () => {
    const { fitAll } = await open(2, SIMPLE);
    const [few, many] = [seriesOf(99), seriesOf(200)];
    expect(await fitAll(few)).toEqual(await fitHere(few));
    expect(await fitAll(many)).toEqual(many.map(({ times }) => String(times.length)));
  });

  it('answer several callers at once', async () => {
    const { fitAll } = await open(1, SIMPLE);
    const [a, b] = [seriesOf(100), seriesOf(120)];
    const [ofA, ofB] = await Promise.all([fitAll(a), fitAll(b)]);
    expect([ofA.length, ofB.length]).toEqual([100, 120]);
  });

  it('are replaced when one has ended, which is an error that a retry can help with', async () => {
    const { fitAll } = await open(1, SIMPLE);
    await expect(fitAll(seriesOf(101))).rejects.toMatchObject({ code: 'fit_thread', retryable: true });
    expect(await fitAll(seriesOf(100))).toHaveLength(100);
  });

  it('end with the application, whoever still waits', async () => {
    const threads = await open(2, SILENT);
    const waiting = expect(threads.fitAll(seriesOf(200))).rejects.toMatchObject({ code: 'fit_thread' });
    await threads.onApplicationShutdown();
    await waiting;
  });
});
