import { readFileSync } from 'node:fs';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { replay } from '../../src/cli/replay-alerts.js';
import { type Company, foundCompany } from '../../src/demo/company.js';
import { serveCompany } from '../../src/demo/company-server.js';
import type { TrackingServer } from '../../src/demo/tracking-server.js';
import { type OpenService, openService } from '../support/open-service.js';

Logger.overrideLogger(false);
const FOUNDED = Date.parse('2026-03-10T15:30:12Z');
/** The page shows 31 days, which take more than a minute. */
const DAYS = { from: '2026-02-19', to: '2026-02-21', step: 3_600_000 };
let company: Company;
let mlflow: TrackingServer;
let service: OpenService;
beforeAll(async () => {
  company = foundCompany(1, FOUNDED);
  mlflow = await serveCompany(company, () => FOUNDED);
  service = await openService({
    trackingUri: mlflow.uri,
    catalog: company.catalog,
    clock: () => FOUNDED,
    env: { LOOKBACK_DAYS_HISTORICAL: '31' },
  });
  await service.run('bootstrap');
}, 120_000);
afterAll(async () => {
  await service.close();
  await mlflow.close();
});

test('The month of the demo company in docs/alerts.md: the days of the bad release', async () => {
  const lines: string[] = [];
  jest.spyOn(console, 'log').mockImplementation((line) => void lines.push(...String(line).split('\n')));
  await replay(service.resources.settings, { ...DAYS, json: false }, FOUNDED);
  jest.restoreAllMocks();
  const [, month = ''] =
    /<!-- replay -->\s*```text\n([\s\S]*?)\n```/.exec(readFileSync('docs/alerts.md', 'utf8')) ?? [];
  const shown = month.split('\n').filter((line) => /^(19|20|21) Feb |^22 Feb at 00:00/.test(line));
  expect(shown.length).toBeGreaterThan(0);
  expect(lines.slice(0, lines.indexOf(''))).toEqual(shown);
}, 120_000);
