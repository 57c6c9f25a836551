import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Browser, Page } from 'playwright-core';
import { foundCompany } from '../../src/demo/company.js';
import { serveCompany } from '../../src/demo/company-server.js';
import type { TrackingServer } from '../../src/demo/tracking-server.js';
import {
  accessibilityOf,
  complaintsOf,
  findChromium,
  overflowOf,
  startChromium,
} from '../support/browser.js';
import { reportLeftOut } from '../support/left-out.js';
import { type OpenService, openService } from '../support/open-service.js';
import { type Catalog, type Counted, count } from './count.js';

Logger.overrideLogger(false);
/** To be looked at. */
const SCREENSHOTS = join(tmpdir(), 'mlflow-monitor-screenshots');
const WORDS: Record<string, string> = {
  critical: 'Critical',
  warning: 'Warning',
  healthy: 'Healthy',
  no_data: 'No recent runs',
  unmonitored: 'No thresholds',
};

const program = findChromium();
if (program) {
  describe.each([1, 2])('the page of company %i', (seed) => {
    let browser: Browser;
    let mlflow: TrackingServer;
    let service: OpenService;
    let counted: Counted;
    let catalog: Catalog;
    beforeAll(async () => {
      await mkdir(SCREENSHOTS, { recursive: true });
      browser = await startChromium(program);
      // Nothing moves while the page is compared.
      const now = Date.now();
      const company = foundCompany(seed, now);
      catalog = company.catalog as Catalog;
      mlflow = await serveCompany(company, () => now);
      service = await openService({ http: true, trackingUri: mlflow.uri, catalog, clock: () => now });
      await service.run('bootstrap');
      counted = await count(mlflow.uri, catalog, now);
    }, 300_000);
    afterAll(async () => {
      await browser.close();
      await service.close();
      await mlflow.close();
    });
    const open = async (colorScheme: 'light' | 'dark' = 'light', width = 1240): Promise<[Page, string[]]> => {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
      const complaints = complaintsOf(page);
      await page.goto(service.url);
      await page.waitForSelector('h1');
      return [page, complaints];
    };
    const texts = (page: Page, selector: string) =>
      page
        .locator(selector)
        .allTextContents()
        .then((all) => all.map((text) => text.replaceAll(/\s+/g, ' ').trim()));

    it('shows the numbers that a count over the REST interface of MLflow gives', async () => {
      const [page] = await open();
      const { platform, applications, needy } = counted;
      expect(platform.total).toBeGreaterThan(100);
      expect(await page.textContent('h1')).toBe(
        `${needy.length} of ${applications.size} applications need attention`,
      );
      expect(await texts(page, '.kicker .status')).toEqual([WORDS[platform.light]]);
      expect(await texts(page, '.facts dd')).toEqual([
        platform.passRate,
        `${platform.total}`,
        platform.coverage,
      ]);
      const runs = (await texts(page, '.facts dt'))[1] ?? '';
      expect(Number(/(\d+) running/.exec(runs)?.[1] ?? 0)).toBe(counted.running);
      const parts = (['critical', 'invalid', 'warning', 'healthy', 'unmonitored'] as const)
        .filter((status) => platform[status] > 0)
        .map((status) => `${platform[status]} ${status === 'unmonitored' ? 'without threshold' : status}`);
      expect(await texts(page, '.composition li')).toEqual(parts);

      expect(await page.locator('.applications li').count()).toBe(applications.size);
      for (const [name, { light, passRate }] of applications) {
        const card = `.applications li:has(h3:text-is("${name}"))`;
        expect([name, await texts(page, `${card} .status`)]).toEqual([name, [WORDS[light]]]);
        expect([name, await texts(page, `${card} .rate`)]).toEqual([
          name,
          passRate === null ? [] : [passRate],
        ]);
      }
    });

    it('names in each row the metric, its value against the limit, since when, and why', async () => {
      const [page] = await open();
      expect(counted.needy.length).toBeGreaterThanOrEqual(3);
      expect(await page.locator('.attention li').count()).toBe(counted.needy.length);
      for (const { application, light, metric, bad, value, limit, since } of counted.needy) {
        const row = `.attention li:has(h3:has-text("${application}"))`;
        const text = async (part: string) => (await texts(page, `${row} ${part}`)).join(' ');
        expect(await text('.status')).toBe(WORDS[light]);
        expect(await page.getAttribute(`${row} .when time`, 'datetime')).toBe(since);
        if (metric === null) continue;
        const { display_name } = catalog.metrics.find(({ metric_name }) => metric_name === metric) ?? {};
        expect(await text('h3')).toBe(`${application} ${display_name}`);
        expect(await text('.evidence')).toContain(
          `${bad} of ${counted.applications.get(application)?.total} runs`,
        );
        const number = async (part: string) => Number(/[\d.]+/.exec(await text(part))?.[0]);
        // Three digits are shown.
        expect(Math.abs((await number('.value b')) / value - 1)).toBeLessThan(0.005);
        expect(await number('.value span')).toBe(limit);
      }
      const reasons = (await texts(page, '.what p:not(.evidence)')).join(' ');
      expect(reasons).toContain('New value: The model version');
      expect(reasons).not.toContain('Late data');
      expect(reasons).toMatch(/The model version changed from v\d+ to v\d+; the metric (rose|fell) from/);
      expect(reasons).toContain('It used to run every 24 h.');
    });

    it('shows the light of each of 30 days', async () => {
      const [page] = await open();
      const lights = (scope: string) =>
        page
          .locator(`${scope} .cell`)
          .evaluateAll((cells) => cells.map((cell) => cell.className.replace('cell ', '')));
      expect(await lights('.days')).toEqual(counted.days);
      expect(counted.days).toContain('no_data');
      for (const [name, days] of counted.daysOf) {
        expect([name, await lights(`.applications li:has(h3:text-is("${name}"))`)]).toEqual([name, days]);
      }
    });

    it.each([
      ['light', 1240],
      ['dark', 1240],
      ['light', 390],
      ['dark', 390],
      ['light', 800],
    ] as const)('is accessible, complete and quiet: %s, %i px wide', async (scheme, width) => {
      const [page, complaints] = await open(scheme, width);
      expect(await accessibilityOf(page)).toEqual([]);
      expect(await overflowOf(page)).toBe(0);
      expect(complaints).toEqual([]);
      await page.screenshot({
        path: join(SCREENSHOTS, `company-${seed}-${scheme}-${width}.png`),
        fullPage: true,
      });
      await page.close();
    });

    it('can be gone through by keyboard, and always shows where one is', async () => {
      const [page] = await open();
      const focused = () =>
        page.evaluate<[name: string, outline: number]>(`(() => {
          const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
          const name = document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent;
          return [name, outlineStyle === 'none' ? 0 : parseFloat(outlineWidth)];
        })()`);
      const stops = page.locator('a, [role=slider]');
      const wanted = await stops.evaluateAll((all) =>
        all.map((stop) => stop.getAttribute('aria-label') ?? stop.textContent),
      );
      expect(wanted.length).toBeGreaterThan(counted.needy.length + 4);
      for (const name of wanted) {
        await page.keyboard.press('Tab');
        expect(await focused()).toEqual([name, 2]);
      }
    });

    it('leads to the run in the tracking server, which has a page of the demo for it', async () => {
      const [page, complaints] = await open();
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
      expect(await accessibilityOf(page)).toEqual([]);
      expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
    });

    it('tells of each day by the arrow keys', async () => {
      const [page] = await open();
      const outage = counted.days.lastIndexOf('no_data');
      await page.getByRole('slider').focus();
      for (let day = 29; day > outage; day--) await page.keyboard.press('ArrowLeft');
      expect(await page.textContent('.legend')).toMatch(
        /^\w{3} \d+ \w{3}: no recent runs\. No runs that day\.$/,
      );
      await page.keyboard.press('End');
      expect(await page.textContent('.legend')).toContain(
        `${WORDS[counted.days[29] ?? '']?.toLowerCase()}. `,
      );
      await page.keyboard.press('Home');
      expect(await page.getByRole('slider').getAttribute('aria-valuenow')).toBe('1');
      await page.keyboard.press('ArrowLeft');
      expect(await page.getByRole('slider').getAttribute('aria-valuenow')).toBe('1');
    });
  });
} else {
  reportLeftOut('the page of the demo in a browser', 'chromium on PATH');
}
