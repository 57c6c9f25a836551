import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Browser, Page } from 'playwright-core';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import { formatDate } from '../../src/domain/format.js';
import { RulebookSync } from '../../src/enrichment/rulebook-sync.js';
import {
  accessibilityOf,
  complaintsOf,
  findChromium,
  overflowOf,
  startChromium,
} from '../support/browser.js';
import { reportLeftOut } from '../support/left-out.js';
import { type OpenService, openService } from '../support/open-service.js';

Logger.overrideLogger(false);
const SCREENSHOTS = join(tmpdir(), 'mlflow-monitor-screenshots');
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const MINUTE = 60_000;
const CATALOG = {
  metrics: [],
  thresholds: [{ metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 }],
};

const program = findChromium();
if (program) {
  describe('the page', () => {
    let browser: Browser;
    let mlflow: TrackingServer;
    let service: OpenService;
    let page: Page;
    let complaints: string[];
    let now = Date.now();
    const experiments = new Map<string, string>();
    beforeAll(async () => {
      await mkdir(SCREENSHOTS, { recursive: true });
      browser = await startChromium(program);
    });
    afterAll(() => browser.close());
    beforeEach(async () => {
      now = Date.now();
      experiments.clear();
      mlflow = await TrackingServer.start(() => now);
    });
    afterEach(async () => {
      await page.close();
      await service.close();
      await mlflow.close();
    });

    const log = (application: string, start_time: number, accuracy: number, key = 'accuracy') => {
      const experiment_id = experiments.get(application) ?? mlflow.experiment(application).experiment_id;
      experiments.set(application, experiment_id);
      mlflow.run({
        experiment_id,
        start_time,
        metrics: [{ key, value: accuracy, step: 0, timestamp: start_time }],
      });
    };
    const start = async (env: Record<string, string> = {}, catalog: object = CATALOG) => {
      service = await openService({ http: true, trackingUri: mlflow.uri, catalog, clock: () => now, env });
    };
    const writeCatalog = (catalog: unknown) =>
      writeFile(
        service.resources.settings.THRESHOLDS_API_URL?.replace('file:', '') ?? '',
        JSON.stringify(catalog),
      );
    const open = async (
      prepare?: (page: Page) => Promise<void>,
      width = 1240,
      colorScheme: 'light' | 'dark' = 'light',
    ) => {
      await page?.close();
      page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
      complaints = complaintsOf(page);
      await prepare?.(page);
      await page.goto(service.url);
    };
    const isAccessible = async (name: string) => {
      expect(await accessibilityOf(page)).toEqual([]);
      await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
    };

    it('says that there is nothing yet, and fills when the first runs are read', async () => {
      await start();
      await open();
      await page.getByRole('heading', { name: 'There is nothing to show yet' }).waitFor();
      expect(await page.textContent('main')).toContain('MLflow has not been read yet');
      await isAccessible('empty');
      log('churn', now - HOUR, 0.9);
      await service.run('delta');
      await page.getByRole('heading', { name: 'No application needs attention' }).waitFor();
      expect(await page.textContent('.facts')).toContain('100.0 %');
      expect(complaints).toEqual([]);
    });

    it('shows how far the first reading is', async () => {
      for (let day = 0; day < 6; day++) log('churn', now - day * DAY - 60_000, 0.9);
      await start({ LOOKBACK_DAYS_HISTORICAL: '9', STAGE_TRIES: '100' });
      const midnight = Math.floor(now / DAY) * DAY;
      let refusing = true;
      mlflow.intercept = ({ path, body }) =>
        refusing &&
        path === 'runs/search' &&
        String(body.filter).includes(`start_time >= ${midnight - 9 * DAY}`)
          ? { status: 503, body: 'busy' }
          : undefined;
      await open();
      const finished = service.run('bootstrap');
      // The oldest day is held back, and with it all that look back on it.
      await page.getByText('2 of 10 days done').waitFor();
      expect(await page.getByRole('progressbar').getAttribute('value')).toBe('2');
      expect(await page.getByText('out of date').count()).toBe(0);
      await page.getByRole('heading', { name: 'No application needs attention' }).waitFor();
      await isAccessible('bootstrap');
      refusing = false;
      await finished;
      await page.getByRole('progressbar').waitFor({ state: 'detached' });
      expect(complaints).toEqual([]);
    });

    it('says what is not current, what lags, and why', async () => {
      log('good', now - HOUR, 0.9);
      log('bad', now - HOUR, 0.9);
      await start();
      await service.run('delta');
      now += 60_000;
      const bad = experiments.get('bad') ?? '';
      mlflow.intercept = ({ path, body }) =>
        path === 'runs/search' && (body.experiment_ids as string[]).includes(bad)
          ? { status: 403, body: JSON.stringify({ error_code: 'PERMISSION_DENIED', message: 'not yours' }) }
          : undefined;
      await service.run('delta');
      mlflow.intercept = () => ({ status: 503, body: 'busy' });
      now += 30 * 60_000;
      await service.run('delta');
      await open();
      const notes = page.getByRole('status');
      await notes.waitFor();
      const text = await notes.textContent();
      expect(text).toContain('This data is out of date.');
      expect(text).toMatch(/The last attempt, .* failed: .*503/);
      expect(text).toContain('One experiment lags behind: bad');
      expect(await page.locator('.freshness.late').count()).toBe(1);
      await isAccessible('stale');
      expect(complaints).toEqual([]);
    });

    it('says why each application turned: a new value, a new threshold, late data', async () => {
      for (let hour = 30; hour > 0; hour--) {
        log('fallen', now - hour * HOUR, hour > 3 ? 0.9 : 0.6);
        log('strict', now - hour * HOUR, 0.85);
        log('tardy', now - hour * HOUR, 0.9);
      }
      await start({ CATALOG_CACHE_TTL_SECONDS: '0' });
      await service.run('bootstrap');
      now += 10 * MINUTE;
      await service.run('delta');
      for (const minute of [50, 40, 30]) log('tardy', now - minute * MINUTE, 0.65);
      now += 10 * MINUTE;
      await service.run('delta');
      now += MINUTE;
      const experiment_id = experiments.get('strict');
      const limits = { critical_threshold: 0.88, warning_threshold: 0.9 };
      const strict = { metric_name: 'accuracy', experiment_id, ...limits, updated_by: 'ops' };
      await writeCatalog({ ...CATALOG, thresholds: [...CATALOG.thresholds, strict] });
      const reevaluated = new Promise<void>((resolve) => {
        service.engine.events.on('finished', ({ kind }) => kind === 'reevaluation' && resolve());
      });
      await service.app.get(RulebookSync).refresh();
      await reevaluated;
      for (const [name, scheme, width] of [
        ['cause-light', 'light', 1240],
        ['cause-dark', 'dark', 1240],
        ['cause-phone', 'light', 390],
      ] as const) {
        await open(undefined, width, scheme);
        await page.getByRole('heading', { name: '3 of 3 applications need attention' }).waitFor();
        const reasons = await page.locator('.what p:not(.evidence)').allTextContents();
        expect(reasons).toEqual([
          'New threshold: The limit was tightened from 0.7 to 0.88 by ops.',
          expect.stringMatching(
            /^Late data: The first unhealthy run ended on .* UTC but was first seen 59\smin later\. The metric fell from 0\.9 to 0\.65\.$/,
          ),
          'New value: The metric fell from 0.9 to 0.6.',
        ]);
        expect(await overflowOf(page)).toBe(0);
        await isAccessible(name);
        expect(complaints).toEqual([]);
      }
      await page.getByRole('link', { name: 'Late data' }).click();
      expect(JSON.parse((await page.textContent('pre')) ?? '')).toMatchObject({ cause: 'late_data' });
    });

    it('says by which thresholds it judges while the catalog is away, and what it refused', async () => {
      log('churn', now - HOUR, 0.9);
      const item = { metric_name: 'f1', critical_threshold: 'high' };
      await start(
        { CATALOG_CACHE_TTL_SECONDS: '0' },
        { ...CATALOG, thresholds: [...CATALOG.thresholds, item, item, item] },
      );
      await service.run('delta');
      const answered = now;
      await writeCatalog('no catalog');
      now += MINUTE;
      await service.app.get(RulebookSync).refresh();
      for (const [name, scheme, width] of [
        ['outage-light', 'light', 1240],
        ['outage-dark', 'dark', 1240],
        ['outage-phone', 'dark', 390],
      ] as const) {
        await open(undefined, width, scheme);
        const notes = page.getByRole('status');
        await notes.waitFor();
        const text = (await notes.textContent())?.replaceAll('\u00a0', ' ');
        expect(text).toContain(
          `Thresholds as of ${formatDate(answered)}: the catalog cannot be read. These thresholds stay in use.`,
        );
        expect(text).toContain('3 catalog items were rejected');
        expect(await overflowOf(page)).toBe(0);
        await isAccessible(name);
        expect(complaints).toEqual([]);
      }
    });

    it('offers thresholds where there are none', async () => {
      log('churn', now - HOUR, 0.9);
      await start({}, { metrics: [], thresholds: [] });
      await service.run('delta');
      await open();
      await page.getByRole('heading', { name: 'The application has no thresholds' }).waitFor();
      expect(await page.textContent('.notes')).toContain('mlflow-monitor suggest');
      await isAccessible('unmonitored');
      expect(complaints).toEqual([]);
    });

    it('asks every half minute where nothing tells it what changed', async () => {
      log('churn', now - HOUR, 0.9);
      await start();
      await service.run('delta');
      await open(async (opened) => {
        await opened.clock.install();
        await opened.route('**/api/v1/events', (route) => route.fulfill({ status: 404 }));
      });
      await page.getByText('polling every 30 s').waitFor();
      log('fraud', now - HOUR, 0.1);
      now += 60_000;
      await service.run('delta');
      await page.clock.fastForward(31_000);
      await page.getByRole('heading', { name: '1 of 2 applications needs attention' }).waitFor();
    });

    it('keeps its numbers when the service goes away, and says so', async () => {
      log('churn', now - HOUR, 0.9);
      await start();
      await service.run('delta');
      await open((opened) => opened.clock.install());
      await page.getByRole('heading', { name: 'No application needs attention' }).waitFor();
      await service.close();
      await page.getByText('polling every 30 s').waitFor();
      await page.clock.fastForward(31_000);
      await page.getByText('The service is unavailable.').waitFor();
      expect(await page.textContent('.facts')).toContain('100.0 %');
      await isAccessible('away');
    });

    it('says that the service does not answer, and shows it when it does', async () => {
      log('churn', now - HOUR, 0.9);
      await start();
      await service.run('delta');
      let broken = true;
      await open(async (opened) => {
        await opened.clock.install();
        await opened.route('**/api/v1/**', (route) =>
          broken ? route.fulfill({ status: 500 }) : route.continue(),
        );
      });
      await page.getByRole('heading', { name: 'The service is unavailable' }).waitFor();
      expect(await page.textContent('main')).toContain('500');
      await isAccessible('error');
      broken = false;
      await page.clock.fastForward(31_000);
      await page.getByRole('heading', { name: 'No application needs attention' }).waitFor();
    });

    it('shows names as they are, whatever they hold, and never wider than a phone', async () => {
      const hostile = `<img src=x onerror="document.title='hacked'"> & "quoted"`;
      const long = 'a'.repeat(200);
      for (const name of [hostile, long, '模型 🚀']) {
        for (let hour = 20; hour > 0; hour--) log(name, now - hour * HOUR, hour < 5 ? 0.1 : 0.9);
      }
      await start();
      await service.run('delta');
      await open(undefined, 390);
      await page.getByRole('heading', { name: '3 of 3 applications need attention' }).waitFor();
      expect(await page.locator('.attention h3').allTextContents()).toEqual(
        expect.arrayContaining([expect.stringContaining(hostile), expect.stringContaining(long)]),
      );
      expect(await page.locator('img').count()).toBe(0);
      expect(await page.title()).toContain('mlflow-monitor');
      expect(await overflowOf(page)).toBe(0);
      await isAccessible('names');
      expect(complaints).toEqual([]);
    });
  });
} else {
  reportLeftOut('the states of the page in a browser', 'chromium on PATH');
}
