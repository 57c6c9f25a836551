import { Logger } from '@nestjs/common';
import type { Browser } from 'playwright-core';
import { applicationPath, metricPath } from '../../web/src/frame/routes.js';
import { findChromium, horizontalOverflow, startChromium } from '../support/browser.js';
import { skipSuite } from '../support/skip.js';
import { HOUR, MINUTE, PageFixture } from './page-fixture.js';
import { CATALOG, HOSTILE, logSeries } from './pages-fixture.js';

const program = findChromium();
if (program) {
  describe('the pages below the platform', () => {
    const fixture = new PageFixture();
    let browser: Browser;
    let recalls: readonly number[];
    beforeAll(async () => {
      Logger.overrideLogger(false);
      browser = await startChromium(program);
      await fixture.start(browser);
      ({ recalls } = logSeries(fixture));
      await fixture.startService({ CATALOG_CACHE_TTL_SECONDS: '0' }, CATALOG);
      await fixture.service.run('delta');
    });
    afterAll(async () => {
      await fixture.close();
      await browser.close();
    });

    const open = async (path: string, width = 1240, scheme: 'light' | 'dark' = 'light') => {
      await fixture.openPage(undefined, width, scheme, 'UTC', path);
      return fixture.page;
    };
    const text = async (selector: string) =>
      (await fixture.page.locator(selector).allInnerTexts()).map((each) =>
        each.replaceAll(/\s+/g, ' ').trim(),
      );
    const heading = (name: string | RegExp) =>
      fixture.page.getByRole('heading', { level: 1, name }).waitFor();
    const loaded = () => fixture.page.locator('.skeleton, .pending').first().waitFor({ state: 'detached' });
    const [application, recall] = [`/${applicationPath(HOSTILE)}`, `/${metricPath(HOSTILE, 'recall')}`];

    it('show of an application what was logged: counts, values, limits, owner, runs', async () => {
      const page = await open(application);
      await heading(`${HOSTILE}: Recall at 0.689, below its critical limit of 0.7`);
      await loaded();
      expect(await text('.about dd')).toEqual(
        expect.arrayContaining(['Payments ML', 'recall drops', HOSTILE]),
      );
      // 24 hours that end with the hour: the failed run has no metric.
      const recent = recalls.filter(
        (_, i) => fixture.now - (41 - i) * HOUR >= Math.floor(fixture.now / HOUR) * HOUR - 23 * HOUR,
      );
      const passed = recent.filter((value, i) => value >= 0.7 && i < recent.length - 4).length;
      expect(await text('.facts dd')).toEqual([
        `${((100 * passed) / recent.length).toFixed(1)} %`,
        `${recent.length + 1}`,
        '1',
        '1',
        '2 of 3',
      ]);
      expect(await text('.metric-name a')).toEqual(['Recall', 'drift', 'Latency']);
      expect(await text('.metric-value b')).toEqual(['0.689', 'NaN', '204 ms']);
      expect(await text('.metric-value span')).toEqual(['0.011 below 0.7', '', '']);
      expect(await text('.suggestion')).toEqual([expect.stringMatching(/^Suggested: warning above 20\d/)]);
      const runs = await text('.runs tbody tr');
      expect(runs).toHaveLength(21);
      expect(runs[0]).toMatch(/^Failed broken .* ended before it logged a metric$/);
      expect(runs[1]).toMatch(/^Running sweep .* 2 child runs: 1 critical, 1 healthy, not counted$/);
      expect(runs[2]).toMatch(/^Critical train-39 .* 8 min ada Recall 0.689 0.011 below 0.7$/);
      await page.getByRole('button', { name: '2 child runs' }).click();
      await page.locator('.runs .child .status.critical').waitFor();
      await page.getByRole('button', { name: 'Show older runs' }).click();
      await page.getByRole('link', { name: 'train-21' }).waitFor();
      expect(fixture.errors).toEqual([]);
    });

    it.each([
      [application, 'light', 1240],
      [application, 'dark', 390],
      [recall, 'dark', 1240],
      [recall, 'light', 390],
    ] as const)('are accessible, fit and log no errors: %s, %s, %i px wide', async (path, scheme, width) => {
      const page = await open(path, width, scheme);
      await heading(/Recall/);
      await loaded();
      const kind = path === recall ? 'metric' : 'application';
      if (kind === 'metric') {
        await page.locator('.how summary').click();
        await page.getByRole('button', { name: 'pandas' }).click();
        await page.getByRole('slider').press('End');
        await page.getByRole('slider').press('Enter');
        await page.getByRole('link', { name: 'Open in MLflow' }).waitFor();
      }
      await fixture.expectAccessible(`${kind}-${scheme}-${width}`);
      expect(await horizontalOverflow(page)).toBe(0);
      expect(fixture.errors).toEqual([]);
    });

    it('are reached, operated and left with the keyboard alone', async () => {
      const page = await open('/');
      const { keyboard } = page;
      const focus = async (name: string) => {
        for (let i = 0; i < 80; i++) {
          await keyboard.press('Tab');
          if ((await page.evaluate('document.activeElement.textContent')) === name) return;
        }
        throw new Error(`The keyboard does not reach ${name}`);
      };
      await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
      await focus(HOSTILE);
      await keyboard.press('Enter');
      await heading(/Recall at/);
      expect(new URL(page.url()).pathname).toBe(application);
      await loaded();
      const axis = page.getByRole('slider', { name: 'Time in all rows' });
      await axis.focus();
      await keyboard.press('End');
      expect(await axis.getAttribute('aria-valuetext')).toMatch(/: (no runs|.*drift not a number)/);
      expect(await page.locator('.crosshair').count()).toBe(3);
      await focus('Recall');
      await keyboard.press('Enter');
      await heading('Recall: 0.689, below its critical limit of 0.7');
      await loaded();
      const chart = page.getByRole('slider');
      await chart.focus();
      await keyboard.press('End');
      expect(await chart.getAttribute('aria-valuetext')).toMatch(/^0\.689, critical, train-39, /);
      for (let i = 0; i < 4; i++) await keyboard.press('ArrowLeft');
      await keyboard.press('Enter');
      await page.locator('.tip.pinned').getByText('train-35').waitFor();
      expect(new URL(page.url()).searchParams.get('run')).toBe('run000035');
      await keyboard.press('ArrowRight');
      await page.locator('.tip.pinned').getByText('train-36').waitFor();
      await page.getByText('12', { exact: true }).waitFor();
      await keyboard.press('Escape');
      await page.locator('.tip').waitFor({ state: 'detached' });
      await page.goBack();
      await heading(/Recall at/);
      await page.goBack();
      await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
      await page.goForward();
      await heading(/Recall at/);
      expect(fixture.errors).toEqual([]);
    });

    it('show of a metric its numbers, why it changed, and the same after a reload', async () => {
      const page = await open(`${recall}?days=7`);
      await heading('Recall: 0.689, below its critical limit of 0.7');
      await loaded();
      await page.getByText('forecast with its 80 and 95 % bands').waitFor();
      const critical = recalls.filter((value) => value < 0.7).length;
      expect(await text('.facts dd')).toEqual([
        '0.689',
        '−0.011',
        '+0.001',
        expect.any(String),
        `${critical}`,
      ]);
      await page.getByText('train-36, ', { exact: false }).waitFor();
      expect(await text('.prose')).toEqual([
        expect.stringMatching(
          /0\.686 is critical; the run before it had 0\.87, healthy\. The value changed, not the limits \(critical below 0\.7, warning below 0\.8\)\.$/,
        ),
      ]);
      expect(await text('.reason')).toEqual([
        expect.stringContaining('The model version changed from model-6 to model-12'),
      ]);
      expect(await text('.runs td.number:nth-child(3)')).toEqual(
        recalls
          .toReversed()
          .slice(0, 20)
          .map((value) => `${Number(value.toPrecision(3))}`),
      );
      await page.locator('.how summary').click();
      expect((await text('.how li')).join(' ')).toContain('0.689 < 0.7, so it is critical.');

      // Dragging chooses a part of the time, which is then in the address.
      await page.locator('.u-over').scrollIntoViewIfNeeded();
      const over = await page.locator('.u-over').boundingBox();
      if (!over) throw new Error('no chart');
      const y = over.y + over.height / 2;
      await page.mouse.move(over.x + over.width * 0.9, y);
      await page.mouse.down();
      await page.mouse.move(over.x + over.width * 0.98, y, { steps: 4 });
      await page.mouse.up();
      await page.waitForURL(/from=.*to=/);
      await loaded();
      await page.getByText(/^\d+ runs, .* Drag on the chart/).waitFor();
      const chosen = await text('.chart-notes');
      await page.reload();
      await heading(/Recall/);
      await loaded();
      expect(await text('.chart-notes')).toEqual(chosen);
      await page.goBack();
      await page.getByText('40 runs, ').waitFor();
      await page.getByRole('combobox').selectOption('steady');
      await page.getByText('steady, moving average').waitFor();
      expect(new URL(page.url()).searchParams.get('with')).toBe('steady');
      const csv = await fixture.service.request('GET', `/${await page.getAttribute('.export a', 'href')}`);
      expect(csv.text.trim().split('\n')).toHaveLength(1 + recalls.length);
      expect(fixture.errors).toEqual([]);
    });

    it.each([
      ['single', 'Recall: 0.9, above its warning limit of 0.8'],
      ['steady', 'Recall: 0.9, above its warning limit of 0.8'],
      ['huge', 'Recall: 5e+307, above its warning limit of 0.8'],
      ['tiny', 'Recall: 5e-324, below its critical limit of 0.7'],
      ['invalid', 'Recall: not a number'],
    ])('draw the series of %s', async (name, sentence) => {
      const page = await open(`/${applicationPath(name)}`);
      await page.getByRole('link', { name: 'Recall' }).first().click();
      await heading(sentence);
      await loaded();
      const drawn = await page.locator('canvas').evaluate((canvas) => {
        const { width, height } = canvas as unknown as { width: number; height: number };
        return width > 0 && height > 0;
      });
      expect(drawn).toBe(true);
      await page.getByRole('slider').press('End');
      await page.locator('.tip').waitFor();
      expect(fixture.errors).toEqual([]);
    });

    it('say in its place that a part cannot be loaded, and that a name is unknown', async () => {
      let broken = true;
      await fixture.openPage(
        async (page) => {
          await page.route('**/api/v1/metrics**', (route) =>
            broken
              ? route.fulfill({ status: 503, headers: { 'X-Request-Id': 'r-17' }, json: { detail: 'Busy.' } })
              : route.continue(),
          );
        },
        1240,
        'light',
        'UTC',
        application,
      );
      const { page } = fixture;
      await page.getByText('The metrics cannot be shown. Busy.').waitFor();
      expect(await page.getByRole('alert').textContent()).toContain('Request id r-17');
      // The other parts stay.
      await heading(/Recall at/);
      await page.locator('.runs').getByText('train-39').waitFor();
      await fixture.expectAccessible('broken');
      broken = false;
      await page.getByRole('button', { name: 'Try again' }).click();
      await page.getByRole('link', { name: 'Latency' }).waitFor();
      await page.goto(`${fixture.service.url}/${metricPath('nobody', 'x')}`);
      await heading('There is no metric “x”');
      await page.goto(`${fixture.service.url}/${applicationPath('nobody')}`);
      await heading('There is no application “nobody”');
      await fixture.expectAccessible('nobody');
    });

    it('show new runs by themselves, without moving the page or the focus', async () => {
      const page = await open(application);
      await heading(/Recall at 0\.689/);
      await loaded();
      const link = page.getByRole('link', { name: 'train-30' });
      await link.focus();
      const before = await page.evaluate<number>('scrollY');
      expect(before).toBeGreaterThan(0);
      const experiment = [...fixture.mlflow.experiments.values()].find(({ name }) => name === HOSTILE);
      fixture.advance(MINUTE);
      const start_time = fixture.now - MINUTE / 2;
      fixture.mlflow.run({
        experiment_id: experiment?.experiment_id ?? '',
        start_time,
        metrics: [{ key: 'recall', value: 0.61, step: 0, timestamp: start_time }],
      });
      await fixture.service.run('delta');
      await page.getByText('0.09 below 0.7').first().waitFor();
      await heading(/Recall at 0\.61/);
      expect(await link.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
      expect(fixture.errors).toEqual([]);
    });
  });
} else {
  skipSuite('the pages below the platform in a browser', 'chromium on PATH');
}
