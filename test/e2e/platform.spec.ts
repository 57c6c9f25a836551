import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Browser, Page } from 'playwright-core';
import type { Likely, PlatformCurrent } from '../../src/dashboard/contract.js';
import { foundCompany } from '../../src/demo/company.js';
import { serveCompany } from '../../src/demo/company-server.js';
import type { TrackingServer } from '../../src/demo/tracking-server.js';
import {
  accessibilityViolations,
  collectPageErrors,
  findChromium,
  horizontalOverflow,
  startChromium,
} from '../support/browser.js';
import { type OpenService, openService } from '../support/open-service.js';
import { rounds } from '../support/rounds.js';
import { skipSuite } from '../support/skip.js';
import { type Catalog, type ExpectedPage, expectedPage } from './expected-page.js';

Logger.overrideLogger(false);
/** Fixed, so that the page does not change during the comparison, and does not depend on the time of day. */
const NOW = Date.parse('2026-03-10T15:30:12Z');
/** For visual inspection. */
const SCREENSHOTS = join(tmpdir(), 'mlflow-monitor-screenshots');
const LABELS: Record<string, string> = {
  critical: 'Critical',
  warning: 'Warning',
  healthy: 'Healthy',
  no_data: 'No recent runs',
  unmonitored: 'No thresholds',
};

const program = findChromium();
if (program) {
  describe.each([1, 2].slice(0, rounds(1, 2)))('the page of company %i', (seed) => {
    let browser: Browser;
    let mlflow: TrackingServer;
    let service: OpenService;
    let expected: ExpectedPage;
    let catalog: Catalog;
    beforeAll(async () => {
      await mkdir(SCREENSHOTS, { recursive: true });
      browser = await startChromium(program);
      const company = foundCompany(seed, NOW);
      catalog = company.catalog as Catalog;
      mlflow = await serveCompany(company, () => NOW);
      service = await openService({ http: true, trackingUri: mlflow.uri, catalog, clock: () => NOW });
      await service.run('bootstrap');
      expected = await expectedPage(mlflow.uri, catalog, NOW);
    }, 300_000);
    afterAll(async () => {
      await browser.close();
      await service.close();
      await mlflow.close();
    });
    const open = async (colorScheme: 'light' | 'dark' = 'light', width = 1240): Promise<[Page, string[]]> => {
      const page = await browser.newPage({
        colorScheme,
        viewport: { width, height: 900 },
        timezoneId: 'UTC',
      });
      const errors = collectPageErrors(page);
      await page.goto(service.url);
      await page.waitForSelector('h1');
      return [page, errors];
    };
    const texts = (page: Page, selector: string) =>
      page
        .locator(selector)
        .allTextContents()
        .then((all) => all.map((text) => text.replaceAll(/\s+/g, ' ').trim()));

    it('shows the numbers counted from the REST API of MLflow', async () => {
      const [page] = await open();
      const { platform, applications, incidents } = expected;
      expect(platform.total).toBeGreaterThan(100);
      // The light beside the headline is the one that the headline is about.
      const worst = ['critical', 'warning', 'no_data'].find((each) =>
        incidents.some(({ light }) => light === each),
      );
      const count = incidents.filter(({ light }) => light === worst).length;
      expect(await texts(page, '.kicker .status')).toEqual([LABELS[worst ?? '']]);
      const heading = await page.textContent('h1');
      expect(heading).toMatch(
        new RegExp(`^${count} of ${applications.size} applications (is|are|has|have) `),
      );
      expect(heading).toContain(`, ${incidents.length - count} more need`);
      expect(await texts(page, '.reason .status')).toEqual([LABELS[platform.light]]);
      expect(await texts(page, '.facts dd')).toEqual([
        platform.passRate,
        `${platform.total}`,
        platform.coverage,
      ]);
      const runs = (await texts(page, '.facts dt'))[1] ?? '';
      expect(Number(/(\d+) running/.exec(runs)?.[1] ?? 0)).toBe(expected.running);
      const parts = (['critical', 'invalid', 'warning', 'healthy', 'unmonitored'] as const)
        .filter((status) => platform[status] > 0)
        .map((status) => `${platform[status]} ${status === 'unmonitored' ? 'without threshold' : status}`);
      expect(await texts(page, '.composition li')).toEqual(parts);

      expect(await page.locator('.applications li').count()).toBe(applications.size);
      for (const [name, { light, passRate }] of applications) {
        const card = `.applications li:has(h3 a:text-is("${name}"))`;
        expect([name, await texts(page, `${card} .status`)]).toEqual([name, [LABELS[light]]]);
        expect([name, await texts(page, `${card} .rate`)]).toEqual([
          name,
          passRate === null ? [] : [passRate],
        ]);
      }
    });

    it('shows for each incident the metric, its value, the limit, the start and the cause', async () => {
      const [page] = await open();
      expect(expected.incidents.length).toBeGreaterThanOrEqual(3);
      const list = '[aria-labelledby="needs-attention"] li';
      expect(await page.locator(list).count()).toBe(expected.incidents.length);
      for (const { application, light, metric, bad, value, limit, since } of expected.incidents) {
        const row = `${list}:has(h3:has-text("${application}"))`;
        const text = async (part: string) => (await texts(page, `${row} ${part}`)).join(' ');
        expect(await text('.status')).toBe(LABELS[light]);
        expect(await page.getAttribute(`${row} .when time`, 'datetime')).toBe(since);
        if (metric === null) continue;
        const { display_name } = catalog.metrics.find(({ metric_name }) => metric_name === metric) ?? {};
        expect(await text('h3')).toBe(`${application} ${display_name}`);
        expect(await text('.evidence')).toContain(
          `${bad} of ${expected.applications.get(application)?.total} runs`,
        );
        const number = async (part: string) => Number(/[\d.]+/.exec(await text(part))?.[0]);
        // The page shows three digits.
        expect(Math.abs((await number('.value b')) / value - 1)).toBeLessThan(0.005);
        expect(await number('.value span')).toBe(limit);
      }
      const reasons = (await texts(page, '.what p:not(.evidence)')).join(' ');
      expect(reasons).toContain('New value: The model version');
      expect(reasons).not.toContain('Late data');
      expect(reasons).toMatch(/The model version changed from v\d+ to v\d+; the metric (rose|fell) from/);
      expect(reasons).toContain('It used to run every 24 h.');
    });

    it('lists what is likely to break next, as the API does, apart from the lights', async () => {
      const [page] = await open();
      const response = await fetch(`${service.url}/api/v1/platform/current`);
      const { likely_soon } = (await response.json()) as PlatformCurrent;
      expect(likely_soon.map(({ metric, next }: Likely) => [metric.name, next])).toEqual([
        ['psi', 'warning'],
      ]);
      const [{ application, metric }] = likely_soon as [Likely];
      const row = '[aria-labelledby="likely-soon"] li';
      expect(await texts(page, `${row} h3`)).toEqual([`${application} ${metric.display_name}`]);
      expect((await texts(page, `${row} p`)).join(' ')).toMatch(
        /^If it goes on like this, it rises above its warning limit of 0\.15 in about \d+ [hd](, at the earliest in \d+ [hd]|, possibly sooner)\./,
      );
      expect(await texts(page, `.applications li:has(h3 a:text-is("${application}")) .status`)).toEqual([
        LABELS.healthy,
      ]);
    });

    it('shows the light of each of 30 days', async () => {
      const [page] = await open();
      const lights = (scope: string) =>
        page
          .locator(`${scope} .cell`)
          .evaluateAll((cells) => cells.map((cell) => cell.className.replace('cell ', '')));
      expect(await lights('.days')).toEqual(expected.days);
      expect(expected.days).toContain('no_data');
      for (const [name, days] of expected.daysOf) {
        expect([name, await lights(`.applications li:has(h3 a:text-is("${name}"))`)]).toEqual([name, days]);
      }
    });

    it.each([
      ['light', 1240],
      ['dark', 1240],
      ['light', 390],
      ['dark', 390],
      ['light', 800],
    ] as const)('is accessible, fits and logs no errors: %s, %i px wide', async (scheme, width) => {
      const [page, errors] = await open(scheme, width);
      expect(await accessibilityViolations(page)).toEqual([]);
      expect(await horizontalOverflow(page)).toBe(0);
      expect(errors).toEqual([]);
      await page.screenshot({
        path: join(SCREENSHOTS, `company-${seed}-${scheme}-${width}.png`),
        fullPage: true,
      });
      await page.close();
    });

    it('supports keyboard navigation with a visible focus', async () => {
      const [page] = await open();
      const focused = () =>
        page.evaluate<[name: string, outline: number]>(`(() => {
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
          const name = document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent;
          return [name, outlineStyle === 'none' ? 0 : parseFloat(outlineWidth)];
        })()`);
      const stops = page.locator('a, button, input, select, [role=slider]');
      const names = await stops.evaluateAll((all) =>
        all.map((stop) => stop.getAttribute('aria-label') ?? stop.textContent),
      );
      expect(names.length).toBeGreaterThan(expected.incidents.length + 4);
      for (const name of names) {
        await page.keyboard.press('Tab');
        expect(await focused()).toEqual([name, 2]);
      }
    });

    it('links to the run on the tracking server, where the demo has a page for it', async () => {
      const [page, errors] = await open();
      const link = page.locator('.attention .evidence a').first();
      const name = (await link.textContent()) ?? '';
      await link.click();
      await page.getByRole('heading', { name }).waitFor();
      expect(await page.textContent('.note')).toContain('This is not MLflow');
      const run = [...mlflow.runs.values()].find(({ run_name }) => run_name === name);
      const metrics = run?.metrics.map(({ key, value }) => `${key}${value}`) ?? [];
      expect(await page.locator('table:has(caption:text-is("metrics")) tr').allTextContents()).toEqual(
        metrics,
      );
      expect(metrics.length).toBeGreaterThan(0);
      expect(await page.textContent('#about')).toContain(`Run ${run?.run_id} of experiment`);
      await page.goto(`${mlflow.uri}/#/experiments/1/runs/nobody`);
      await page.getByText('Run with id=nobody not found').waitFor();
      expect(await accessibilityViolations(page)).toEqual([]);
      expect(errors.filter((text) => !text.includes('404'))).toEqual([]);
    });

    it('describes each day when the arrow keys are used', async () => {
      const [page] = await open();
      const outage = expected.days.lastIndexOf('no_data');
      await page.getByRole('slider').focus();
      for (let day = 29; day > outage; day--) await page.keyboard.press('ArrowLeft');
      expect(await page.textContent('.legend')).toMatch(
        /^\w{3} \d+ \w{3}: no recent runs\. No runs that day\.$/,
      );
      await page.keyboard.press('End');
      expect(await page.textContent('.legend')).toContain(
        `${LABELS[expected.days[29] ?? '']?.toLowerCase()}. `,
      );
      await page.keyboard.press('Home');
      expect(await page.getByRole('slider').getAttribute('aria-valuenow')).toBe('1');
      await page.keyboard.press('ArrowLeft');
      expect(await page.getByRole('slider').getAttribute('aria-valuenow')).toBe('1');
    });
  });
} else {
  skipSuite('the page of the demo in a browser', 'chromium on PATH');
}
