import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import type { Browser, Page } from 'playwright-core';
import { TrackingServer } from '../../src/demo/tracking-server.js';
import {
  accessibilityViolations,
  collectPageErrors,
  findChromium,
  startChromium,
} from '../support/browser.js';
import { ACCURACY_CATALOG, type OpenService, openService } from '../support/open-service.js';
import { skipSuite } from '../support/skip.js';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
/** The page shows hours and days: at any other time it could show other ones. */
const NOW = Date.parse('2026-03-10T15:30:00Z');
/** For visual inspection. */
const SCREENSHOTS = join(tmpdir(), 'mlflow-monitor-screenshots');

/** The page of a service in Chromium; the tracking server and the service share a clock. */
export class PageFixture {
  /** Experiment ids by application. */
  readonly experiments = new Map<string, string>();
  /** Console errors, console warnings and uncaught errors since the page was opened. */
  errors: readonly string[] = [];
  private clock = 0;
  private browser: Browser | undefined;
  private server: TrackingServer | undefined;
  private openedPage: Page | undefined;
  private startedService: OpenService | undefined;

  /** Before each test. */
  async start(browser: Browser): Promise<void> {
    this.browser = browser;
    this.experiments.clear();
    this.clock = NOW;
    this.server = await TrackingServer.start(() => this.clock);
  }

  get now(): number {
    return this.clock;
  }

  advance(ms: number): void {
    this.clock += ms;
  }

  get mlflow(): TrackingServer {
    if (!this.server) throw new Error('Call start first');
    return this.server;
  }

  get service(): OpenService {
    if (!this.startedService) throw new Error('Call startService first');
    return this.startedService;
  }

  get page(): Page {
    if (!this.openedPage) throw new Error('Call openPage first');
    return this.openedPage;
  }

  async startService(env: Record<string, string> = {}, catalog: object = ACCURACY_CATALOG): Promise<void> {
    const trackingUri = this.mlflow.uri;
    this.startedService = await openService({ http: true, trackingUri, catalog, clock: () => this.now, env });
  }

  /** @param prepare called before the page is loaded */
  async openPage(
    prepare?: (page: Page) => Promise<void>,
    width = 1240,
    colorScheme: 'light' | 'dark' = 'light',
    timezoneId = 'UTC',
    path = '/',
  ): Promise<void> {
    if (!this.browser) throw new Error('Call start first');
    await this.openedPage?.close();
    const page = await this.browser.newPage({
      viewport: { width, height: 800 },
      colorScheme,
      timezoneId,
    });
    this.openedPage = page;
    this.errors = collectPageErrors(page);
    await prepare?.(page);
    await page.goto(`${this.service.url}${path}`);
  }

  /** Logs a run with one metric; creates the experiment of the application if needed. */
  log(application: string, start_time: number, value: number): void {
    const experiment_id =
      this.experiments.get(application) ?? this.mlflow.experiment(application).experiment_id;
    this.experiments.set(application, experiment_id);
    const metrics = [{ key: 'accuracy', value, step: 0, timestamp: start_time }];
    this.mlflow.run({ experiment_id, start_time, metrics });
  }

  /** Checks the page with axe and takes a screenshot. */
  async expectAccessible(name: string): Promise<void> {
    expect(await accessibilityViolations(this.page)).toEqual([]);
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`), fullPage: true });
  }

  /** After each test. */
  async close(): Promise<void> {
    await this.openedPage?.close();
    await this.startedService?.close();
    await this.server?.close();
    this.openedPage = undefined;
    this.startedService = undefined;
    this.server = undefined;
  }
}

/** Tests in Chromium; without Chromium they are skipped. */
export function describePage(name: string, tests: (fixture: PageFixture) => void): void {
  const program = findChromium();
  if (!program) {
    skipSuite(`${name} in a browser`, 'chromium on PATH');
    return;
  }
  describe(name, () => {
    const fixture = new PageFixture();
    let browser: Browser;
    beforeAll(async () => {
      Logger.overrideLogger(false);
      await mkdir(SCREENSHOTS, { recursive: true });
      browser = await startChromium(program);
    });
    afterAll(() => browser.close());
    beforeEach(() => fixture.start(browser));
    afterEach(() => fixture.close());
    tests(fixture);
  });
}
