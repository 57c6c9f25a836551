import { Logger } from '@nestjs/common';
import type { Browser } from 'playwright-core';
import type { ReadApi } from '../../src/dashboard/contract/read-api.js';
import type { Series } from '../../src/dashboard/contract/series.js';
import { applicationPath, metricPath } from '../../web/src/frame/routes.js';
import { findChromium, startChromium } from '../support/browser.js';
import { skipSuite } from '../support/skip.js';
import { MINUTE, PageFixture } from './page-fixture.js';
import { CATALOG, HOSTILE, logSeries } from './pages-fixture.js';

const program = findChromium();
if (program) {
  describe('the data of the pages below the platform', () => {
    const fixture = new PageFixture();
    let browser: Browser;
    beforeAll(async () => {
      Logger.overrideLogger(false);
      browser = await startChromium(program);
      await fixture.start(browser);
      logSeries(fixture);
      await fixture.startService({ CATALOG_CACHE_TTL_SECONDS: '0' }, CATALOG);
      await fixture.service.run('delta');
    });
    afterAll(async () => {
      await fixture.close();
      await browser.close();
    });

    const [application, recall] = [`/${applicationPath(HOSTILE)}`, `/${metricPath(HOSTILE, 'recall')}`];
    const asked = { application: HOSTILE, metric: 'recall' };
    const text = async (selector: string) =>
      (await fixture.page.locator(selector).allInnerTexts()).map((each) =>
        each.replaceAll(/\s+/g, ' ').trim(),
      );
    const read = async <Path extends keyof ReadApi>(path: Path, query: ReadApi[Path]['query']) => {
      const parameters = new URLSearchParams(query as Record<string, string>);
      const { json } = await fixture.service.request('GET', `${path}?${parameters}`);
      return json as unknown as ReadApi[Path]['response'];
    };
    const rows = <T>(dataset: string, columns: string) => {
      const files = `${fixture.service.folder}/store/${dataset}/*/*/*/*.parquet`;
      return fixture.service.resources.duck.session((session) =>
        session.rows<T>(
          `SELECT ${columns} FROM read_parquet($files) WHERE application = $application AND metric_name = 'recall'
           ORDER BY timestamp, run_id`,
          { files, application: HOSTILE },
        ),
      );
    };

    it('is that of REST, and that of REST is what Parquet has', async () => {
      const { columns } = await read('/api/v1/series', asked);
      const published = await rows<{ value: number; status: string; run_name: string }>(
        'metric_timeseries',
        'value, status, run_name',
      );
      expect(columns.value).toEqual(published.map(({ value }) => value));
      expect(columns.status).toEqual(published.map(({ status }) => status));

      await fixture.openPage(undefined, 1240, 'light', 'UTC', recall);
      const { page } = fixture;
      await page.locator('.runs tbody tr').first().waitFor();
      expect(await text('.runs td:first-child')).toEqual(columns.run_name.toReversed().slice(0, 20));
      expect(await text('.runs td:nth-child(3)')).toEqual(
        columns.value
          .toReversed()
          .slice(0, 20)
          .map((value) => `${Number(value?.toPrecision(3))}`),
      );
      const { metrics } = await read('/api/v1/metrics', { application: HOSTILE });
      const shown = metrics.find(({ name }) => name === 'recall');
      expect((await text('.facts dd')).at(-1)).toBe(`${shown?.light_span.critical}`);

      await fixture.openPage(undefined, 1240, 'light', 'UTC', application);
      await fixture.page.locator('.runs .name').first().waitFor();
      const facts = await read('/api/v1/application', { application: HOSTILE });
      expect(await text('.facts dd')).toEqual([
        `${facts.pass_rate?.toFixed(1)} %`,
        `${facts.total}`,
        `${facts.running}`,
        `${facts.failed}`,
        `${metrics.filter(({ status }) => status !== 'unmonitored').length} of ${metrics.length}`,
      ]);
      expect(await text('.metric-name a')).toEqual(metrics.map(({ display_name }) => display_name));
      const { runs } = await read('/api/v1/runs', { application: HOSTILE });
      const names = await text('.runs .name');
      expect(names).toEqual(runs.slice(0, names.length).map(({ run_name }) => run_name));
      expect(fixture.errors).toEqual([]);
    });

    it('has forecasts, outliers and model versions in the chart and in words', async () => {
      await fixture.openPage(undefined, 1240, 'light', 'UTC', application);
      await fixture.page.locator('.mini .expected').first().waitFor({ state: 'attached' });
      const { forecasts } = await read('/api/v1/forecast', { application: HOSTILE });
      const judged = forecasts.filter(({ metric }) => metric !== 'latency_ms');
      // The bands of 80 and 95 %.
      expect(await fixture.page.locator('.mini .band').count()).toBe(2 * judged.length);

      await fixture.openPage(undefined, 1240, 'light', 'UTC', recall);
      const { page } = fixture;
      await page.getByText('forecast with its 80 and 95 % bands').waitFor();
      // The fall from 0.87 to 0.686 is not what the runs before it suggested.
      await page.getByText('outlier', { exact: true }).waitFor();
      const why = (await text('.runs tbody tr')).find((row) => row.includes('train-36'));
      expect(why).toMatch(/below 0\.7; outlier$/);
      await page.locator('.how summary').click();
      expect((await text('.how li')).join(' ')).toMatch(/A run is ringed if .* of 40 runs\./);
      await page.getByRole('combobox').selectOption('model-6');
      const note = page.locator('.chart-notes').filter({ hasText: 'model-12, the newest version: median' });
      await note.waitFor();
      expect(((await note.textContent()) ?? '').replaceAll(/\s+/g, ' ')).toMatch(
        /^model-6: median 0\.88 in 36 runs/,
      );
      expect(new URL(page.url()).searchParams.get('version')).toBe('model-6');
      await page.reload();
      await note.waitFor();
      expect(fixture.errors).toEqual([]);
    });

    it('is drawn with 50,000 points', async () => {
      await fixture.openPage(
        async (page) => {
          await page.route('**/api/v1/series?*', async (route) => {
            const response = await route.fetch();
            await route.fulfill({ response, json: manyPoints((await response.json()) as Series) });
          });
        },
        1240,
        'light',
        'UTC',
        recall,
      );
      const { page } = fixture;
      await page.getByText('50,000 runs, ').waitFor();
      await page.getByRole('slider').press('End');
      await page.locator('.tip').getByText('run 49999').waitFor();
      expect(await page.locator('.runs tbody tr').count()).toBe(20);
      expect(fixture.errors).toEqual([]);
    });

    it('is printed in light colours, without what is to be operated', async () => {
      await fixture.openPage(undefined, 1240, 'dark', 'UTC', recall);
      const { page } = fixture;
      await page.getByText('forecast with its 80 and 95 % bands').waitFor();
      await page.emulateMedia({ media: 'print' });
      for (const hidden of ['.toolbar', '.breadcrumb', 'header .right'])
        expect(await page.locator(hidden).isVisible()).toBe(false);
      expect(await page.locator('canvas').isVisible()).toBe(true);
      const colours = await page.evaluate<string[]>(
        `[getComputedStyle(document.querySelector('h1')).color, getComputedStyle(document.documentElement).colorScheme]`,
      );
      // Dark text: the sum of red, green and blue.
      const [red = 255, green = 255, blue = 255] = (colours[0]?.match(/\d+/g) ?? []).map(Number);
      expect(red + green + blue).toBeLessThan(200);
      expect(fixture.errors).toEqual([]);
    });

    it.each([
      ['application', application],
      ['metric', recall],
    ])('stays while the service is away, and is current once it is back: %s', async (_name, path) => {
      let away = false;
      await fixture.openPage(
        async (page) => {
          await page.clock.install();
          await page.route('**/api/v1/events', (route) => route.fulfill({ status: 404 }));
          await page.route(/api\/v1\/(?!events)/, (route) => (away ? route.abort() : route.continue()));
        },
        1240,
        'light',
        'UTC',
        path,
      );
      const { page } = fixture;
      await page.locator('.runs tbody a').first().waitFor();
      const before = await text('.runs tbody tr td:first-child');
      away = true;
      await page.clock.fastForward(31_000);
      await page.getByText('reconnecting').waitFor();
      await page
        .getByText(/ may be out of date: the service did not respond/)
        .first()
        .waitFor();
      expect(await text('.runs tbody tr td:first-child')).toEqual(before);
      fixture.advance(MINUTE);
      const value = path === recall ? 0.612 : 0.613;
      const experiment = [...fixture.mlflow.experiments.values()].find(({ name }) => name === HOSTILE);
      const start_time = fixture.now - MINUTE / 2;
      fixture.mlflow.run({
        experiment_id: experiment?.experiment_id ?? '',
        start_time,
        metrics: [{ key: 'recall', value, step: 0, timestamp: start_time }],
      });
      await fixture.service.run('delta');
      away = false;
      await page.clock.fastForward(31_000);
      await page.getByRole('heading', { level: 1, name: new RegExp(`${value}, below`) }).waitFor();
      await page.getByText('reconnecting').waitFor({ state: 'detached' });
      await page
        .getByText(/ may be out of date/)
        .first()
        .waitFor({ state: 'detached' });
    });
  });
} else {
  skipSuite('the data of the pages below the platform in a browser', 'chromium on PATH');
}

/** The series with 50,000 points in its span. */
function manyPoints(series: Series): Series {
  const [from, to] = [Date.parse(series.from), Date.parse(series.to)];
  const columnOf = <T>(of: (i: number) => T): T[] => Array.from({ length: 50_000 }, (_, i) => of(i));
  const nulls = columnOf(() => null);
  const values = columnOf((i) => 0.75 + Math.sin(i / 900) / 10 + (i % 7) / 100);
  return {
    ...series,
    total: 50_000,
    thinned: null,
    columns: {
      time: columnOf((i) => Math.round(from + ((to - from) * i) / 50_000)),
      value: values,
      status: columnOf((i) => (i % 9 === 0 ? 'critical' : 'healthy')),
      invalid_kind: nulls,
      moving_avg: values,
      forecast: values,
      critical_threshold: nulls,
      warning_threshold: nulls,
      run_id: columnOf((i) => `r${i}`),
      run_name: columnOf((i) => `run ${i}`),
      experiment_id: columnOf(() => '1'),
      user_id: nulls,
      model_id: nulls,
      dataset_name: nulls,
    },
  };
}
