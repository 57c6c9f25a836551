import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import { applicationPath, metricPath } from '../../src/domain/page-paths.js';
import { collectPageErrors, findChromium, startChromium } from '../support/browser.js';
import { httpRequest } from '../support/http-request.js';
import { type OpenService, openService } from '../support/open-service.js';
import { findNginx, type RunningProxy, startNginx } from '../support/proxies.js';
import { freePort } from '../support/redis-server.js';
import { skipSuite } from '../support/skip.js';

const HOUR = 3_600_000;
/** Names that look like paths of the page, and that proxies decode. */
const NAMES = ['fraud', 'team/fraud', 'team/', 'app', 'login', '100% ☂', '.', '..', '../../up'];
/** Decoded, it looks like the page of a metric. */
const METRIC_LIKE = 'a/metric/b';

const [chromium, nginx] = [findChromium(), findNginx()];
if (chromium && nginx) {
  describe('below a path, behind nginx', () => below(chromium, nginx));
} else {
  skipSuite('the service below a path', 'chromium and nginx on PATH');
}

function below(chromium: string, nginx: string): void {
  let browser: Browser;
  let mlflow: TrackingServer;
  let service: OpenService;
  let proxy: RunningProxy;
  let page: Page;
  /** Ports of a proxy that removes the path, as in the documentation, and of one that keeps it. */
  let ports: readonly [number, number];
  let errors: string[];

  const log = (name: string, value: number) => {
    const { experiment_id } = mlflow.experiment(name);
    const start_time = Date.now() - HOUR;
    const metrics = [{ key: 'accuracy', value, step: 0, timestamp: start_time }];
    mlflow.run({ experiment_id, start_time, metrics });
  };

  beforeAll(async () => {
    mlflow = await TrackingServer.start();
    for (const name of [...NAMES, METRIC_LIKE]) log(name, 0.6);
    ports = [await freePort(), await freePort()];
    service = await openService({
      http: true,
      trackingUri: mlflow.uri,
      env: { PUBLIC_URL: `http://127.0.0.1:${ports[1]}/tools/app/`, LOOKBACK_DAYS_HISTORICAL: '2' },
    });
    await service.run('bootstrap');
    const docs = await readFile(new URL('../../docs/access.md', import.meta.url), 'utf8');
    const [removing = '', keeping = ''] = [...docs.matchAll(/```nginx\n(.*?)```/gs)].map(([, text]) =>
      (text ?? '').replace('127.0.0.1:3000', `127.0.0.1:${service.port}`),
    );
    proxy = await startNginx(
      nginx,
      new Map([
        [ports[0], removing.replace('/monitor/', '/tools/app/')],
        [ports[1], keeping.replace('/monitor/', '/tools/app/')],
      ]),
    );
    browser = await startChromium(chromium);
  });
  afterAll(async () => {
    await browser.close();
    await proxy.stop();
    await service.close();
    await mlflow.close();
  });

  describe.each([
    ['removes the path', 0],
    ['keeps the path', 1],
  ] as const)('that %s', (_, which) => {
    let url: string;
    beforeEach(async () => {
      url = `http://127.0.0.1:${ports[which]}/tools/app/`;
      page = await browser.newPage();
      errors = collectPageErrors(page);
    });
    afterEach(async () => {
      await page.close();
      expect(errors).toEqual([]);
    });
    const heading = (name: string) => page.getByRole('heading', { name, level: 1 }).waitFor();

    it('the page and its links work, and every page can be loaded again', async () => {
      await page.goto(url.slice(0, -1));
      expect(page.url()).toBe(url);
      for (const name of NAMES) {
        await page.locator('.applications').getByRole('link', { name, exact: true }).first().click();
        await heading(name);
        expect(page.url()).toBe(`${url}${applicationPath(name)}`);
        await page.reload();
        await heading(name);
        await page.getByRole('link', { name: 'accuracy', exact: true }).first().click();
        await page.waitForURL(`${url}${metricPath(name, 'accuracy')}`);
        await page.reload();
        await page.getByRole('button', { name: 'pandas' }).click();
        await page.getByText(`pd.read_parquet("${url}api/v1/series?`).waitFor();
        await page.getByRole('link', { name: 'Platform', exact: true }).first().click();
        await page.waitForURL(url);
      }
      await page.getByRole('link', { name: 'Alerts' }).click();
      await page.waitForURL(`${url}alerts`);
      await page.reload();
      await page.getByRole('link', { name: 'mlflow-monitor' }).click();
      await page.waitForURL(url);
      await page.goto(url + applicationPath(METRIC_LIKE));
      await heading(METRIC_LIKE);
      // Files that the browser tried to load ahead, where the service guessed them.
      errors = errors.filter((error) => !error.includes('404'));
    });

    it('a foreign name, which DNS rebinding would use, is rejected', async () => {
      for (const path of ['', 'api/v1/platform/current', 'app/fraud']) {
        const headers = { host: `rebound.example:${ports[which]}` };
        const { status } = await httpRequest(ports[which], 'GET', `/tools/app/${path}`, { headers });
        expect([path, status]).toEqual([path, 403]);
      }
    });

    it('changes arrive by live events', async () => {
      await page.goto(url);
      await page.getByText(/MLflow last read/).waitFor();
      await page.getByText('polling every').waitFor({ state: 'detached' });
      const name = `new-${which}`;
      log(name, 0.9);
      await service.run('delta');
      await page.locator('.applications').getByRole('link', { name, exact: true }).waitFor();
    });

    it('the documentation of the API sends its requests to the service', async () => {
      await page.goto(`${url}docs/`);
      expect(page.url()).toBe(`${url}docs`);
      await page.locator('#operations-default-HealthController_live, [id$="_live"]').first().click();
      await page.getByRole('button', { name: 'Try it out' }).click();
      const answer = page.waitForResponse(`${url}health/live`);
      await page.getByRole('button', { name: 'Execute' }).click();
      expect((await answer).status()).toBe(200);
      const openApi = `${url}docs/openapi.json`;
      const { servers } = (await (await fetch(openApi)).json()) as { servers: { url: string }[] };
      expect(new URL(servers[0]?.url ?? '', openApi).href).toBe(url);
    });

    it('the queues lead to the login and back, and work', async () => {
      await page.goto(url);
      await page.getByRole('link', { name: 'Queues' }).click();
      await page.waitForURL(`${url}login?next=%2Fadmin%2Fqueues`);
      const token = await readFile(`${service.folder}/store/admin-token`, 'utf8');
      await page.getByLabel('Admin token').fill(token);
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.waitForURL(`${url}admin/queues`);
      await page.getByRole('link', { name: 'aggregation' }).first().click();
      await page.waitForURL(`${url}admin/queues/queue/aggregation**`);
      await page.reload();
      await page.getByText('COMPLETED').first().waitFor();
      const [cookie] = await page.context().cookies();
      expect(cookie?.path).toBe(which === 0 ? '/' : '/tools/app');

      await page.goto(`${url}login`);
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByLabel('Admin token').waitFor();
      expect(await page.context().cookies()).toEqual([]);
      // A link that was used.
      const { json } = await service.requestAsAdmin('POST', '/api/v1/admin/login-links');
      const link = url + (json as { path: string }).path.slice(1);
      await page.goto(link);
      await page.waitForURL(url);
      await page.goto(link);
      await page.waitForURL(`${url}login?expired`);
      await page.goto(`${url}admin/queues/`);
      await page.getByRole('link', { name: 'aggregation' }).first().waitFor();
    });
  });
}
