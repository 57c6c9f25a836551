import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { applicationPath, metricPath } from '../../../src/domain/page-paths.js';
import { wellFormed } from '../../../src/domain/text.js';
import { collectPageErrors, findChromium, horizontalOverflow, startChromium } from '../../support/browser.js';
import { HOSTILE_NAMES } from '../../support/hostile-names.js';
import { Program } from '../../support/program.js';
import { skipSuite } from '../../support/skip.js';

const HOUR = 3_600_000;
/** What a terminal obeys, or takes for the end of a line. Lines are split where they end. */
const CONTROLS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u;
/** How a line of the pretty log begins; continued lines are indented. */
const LOG_LINE = /^(\d{2}:\d{2}:\d{2} | {4})/;

const chromium = findChromium();
if (chromium) {
  it('names with any content are text: on the pages, in the log, in answers and in metrics', () =>
    check(chromium));
} else {
  skipSuite('hostile names in a browser', 'chromium on PATH');
}

async function check(chromiumProgram: string): Promise<void> {
  const mlflow = await TrackingServer.start();
  const folder = await mkdtemp(join(tmpdir(), 'names-'));
  const start = Date.now() - 3 * HOUR;
  for (const name of HOSTILE_NAMES) {
    const { experiment_id } = mlflow.experiment(name, { owner: name, team: name, runbook: name });
    for (const [i, value] of [0.9, 0.6].entries()) {
      const timestamp = start + i * HOUR;
      mlflow.run({
        experiment_id,
        start_time: timestamp,
        end_time: timestamp + 60_000,
        run_name: name,
        user_id: name,
        metrics: [{ key: name, value, step: 0, timestamp }],
        params: { [name]: name },
        tags: { [name]: name, 'mlflow.user': name, model_version: name },
      });
    }
  }
  const rows = HOSTILE_NAMES.map((metric_name) => ({ metric_name, display_name: metric_name }));
  // Rejected rows, of which the log names five.
  const rejected = HOSTILE_NAMES.filter((name) =>
    ['\u001b', '\u009b', '\u2028', '\u202e', 'ERROR'].some((part) => name.includes(part)),
  );
  const catalog = {
    metrics: [
      ...rows.map(({ metric_name: name, display_name }) => ({
        metric_name: name,
        display_name,
        description: name,
        unit: name,
        category: name,
      })),
    ],
    thresholds: [
      ...rows.map(({ metric_name }) => ({
        metric_name,
        critical_threshold: 0.7,
        warning_threshold: 0.8,
        updated_by: metric_name,
      })),
      ...rejected.map((metric_name) => ({ metric_name, critical_threshold: 'none' })),
    ],
  };
  await writeFile(join(folder, 'catalog.json'), JSON.stringify(catalog));
  const program = Program.start(['serve'], {
    MLFLOW_TRACKING_URI: mlflow.uri,
    STORAGE_DIR: join(folder, 'store'),
    METRICS_API_URL: `file:${join(folder, 'catalog.json')}`,
    THRESHOLDS_API_URL: `file:${join(folder, 'catalog.json')}`,
    LOOKBACK_DAYS_HISTORICAL: '1',
    LOG_LEVEL: 'verbose',
    LOG_FORMAT: 'pretty',
    // The service's own colours are control characters too.
    NO_COLOR: '1',
    PORT: '0',
  });
  const browser = await startChromium(chromiumProgram);
  try {
    const [, url = ''] = await program.line(/Page: (http:\/\/127\.0\.0\.1:\d+)\//);
    await program.line(/bootstrap-1 done/);
    const get = async (path: string) => (await fetch(`${url}${path}`)).text();

    const { applications } = JSON.parse(await get('/api/v1/applications?limit=200'));
    const known: string[] = applications.map(({ application }: { application: string }) => application);
    expect(known.sort()).toEqual(HOSTILE_NAMES.map(wellFormed).sort());
    for (const name of known) {
      const query = new URLSearchParams({ application: name });
      const { application, metrics } = JSON.parse(await get(`/api/v1/metrics?${query}`));
      expect({ application, metrics }).toMatchObject({
        application: name,
        // By the threshold that the catalog has under this name.
        metrics: [{ name, display_name: name, status: 'critical' }],
      });
    }

    const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
    const errors = collectPageErrors(page);
    page.on('dialog', (dialog) => {
      errors.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(url)) errors.push(`request to ${request.url()}`);
    });
    await page.goto(url);
    await page.locator('.applications a').first().waitFor();
    for (const name of known) {
      for (const path of [applicationPath(name), metricPath(name, name)]) {
        await page.evaluate(`new Promise((resolve) => {
          const link = Object.assign(document.createElement('a'), { href: ${JSON.stringify(path)} });
          document.body.append(link);
          link.click();
          link.remove();
          const shown = () => document.querySelector('.breadcrumb [aria-current]')?.textContent === ${JSON.stringify(name)} &&
            location.pathname === ${JSON.stringify(`/${path}`)} && document.querySelector('#headline');
          const check = () => (shown() ? resolve() : requestAnimationFrame(check));
          check();
        })`);
        const overflow = await horizontalOverflow(page);
        if (overflow > 0) errors.push(`${JSON.stringify(name)} is ${overflow} px too wide`);
      }
    }
    // Loaded by their addresses, of which browsers resolve parts.
    for (const name of known.filter((each) => each.includes('.'))) {
      await page.goto(`${url}/${metricPath(name, name)}`);
      await page.locator('#headline').waitFor();
      expect(await page.locator('.breadcrumb [aria-current]').textContent()).toBe(name);
    }
    expect(errors).toEqual([]);
    expect(
      await page.evaluate(
        '[window.hacked === undefined, document.querySelectorAll("iframe, img, form").length]',
      ),
    ).toEqual([true, 0]);

    for (const line of (await get('/metrics')).split('\n').filter(Boolean)) {
      expect(line).toMatch(/^(# (HELP|TYPE) )?(mlflow_monitor|nodejs|process)_\w+/);
      expect(line).not.toMatch(/^(# HELP )?mlflow_monitor_forged/);
    }
  } finally {
    await browser.close();
    await program.stop();
    await mlflow.close();
    await rm(folder, { recursive: true, force: true });
  }
  expect(program.lines.filter((line) => CONTROLS.test(line))).toEqual([]);
  expect(program.lines.filter((line) => !LOG_LINE.test(line))).toEqual([]);
  // The names are there.
  const log = program.lines.join('\n');
  for (const escaped of ['\\u001b[2J', '\\u009b31m', '\\u2028forged', '\\u202egnp', '    ERROR [Service]'])
    expect(log).toContain(escaped);
}
