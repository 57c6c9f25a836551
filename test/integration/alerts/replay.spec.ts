import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import { replayAlerts } from '../../../src/alerts/replay/replay-alerts.js';
import { type ReplayOptions, replay } from '../../../src/cli/replay-alerts.js';
import type { AlertTransition } from '../../../src/domain/alerts/incident.js';
import { DEFAULT_POLICY } from '../../../src/domain/alerts/policy.js';
import { Duck } from '../../../src/storage/duck.js';
import { openStoreForReading } from '../../../src/storage/inspect-store.js';
import { AlertScenario, DAY, HOUR, MINUTE, RHYTHM_DAYS, START } from './alert-scenario.js';

const STEP = 15;
let scenario: AlertScenario;
let temp: string;
async function open(historyDays?: number): Promise<void> {
  scenario = new AlertScenario();
  await scenario.open(historyDays);
  temp = await mkdtemp(join(tmpdir(), 'replay-'));
}
async function close(): Promise<void> {
  await scenario.close();
  await rm(temp, { recursive: true, force: true });
}
afterEach(() => jest.restoreAllMocks());

/** What happened to which incident, when and why. */
const describeAll = (transitions: readonly AlertTransition[]) =>
  transitions.map(
    ({ at, from, to, change, digest_reason, incident: { key, since, evidence, inhibited_by } }) => ({
      at,
      change: `${from} → ${to}: ${change}`,
      digest_reason,
      key,
      since,
      inhibited_by,
      evidence,
    }),
  );

async function replayed(from: number, to: number, stepMinutes: number): Promise<readonly AlertTransition[]> {
  const { settings } = scenario.service.resources;
  await mkdir(join(temp, '.tmp'), { recursive: true });
  const { store, folder } = await openStoreForReading(settings, temp);
  const duck = await Duck.open(temp, { alsoReads: folder });
  const policy = { ...DEFAULT_POLICY, owners: [] };
  const request = { from, to, stepMs: stepMinutes * MINUTE, policy };
  const found = await replayAlerts({ store, duck, settings }, request);
  duck.close();
  return found?.transitions ?? [];
}

/** The service has observed everything since the day before; its deltas are evaluated `STEP` minutes apart. */
async function liveHistory(): Promise<AlertTransition[]> {
  await open(RHYTHM_DAYS);
  scenario.logHourly('hourly');
  for (const application of ['churn', 'fraud']) scenario.log(application, 0.9, { start: START - HOUR });
  await scenario.service.run('bootstrap');
  const live: AlertTransition[] = [];
  /** A run that ends shortly before the next delta. */
  const log = (application: string, accuracy: number) =>
    scenario.log(application, accuracy, { start: scenario.now, end: scenario.now + (STEP - 1) * MINUTE });
  const delta = async () => void live.push(...(await scenario.delta(STEP)));
  await delta();
  log('churn', 0.5);
  await delta();
  for (let i = 0; i < 10; i++) log('churn', 0.9);
  for (let i = 0; i < 4; i++) await delta();
  // Late: the digest says so, and a later run on time is a message.
  scenario.log('fraud', 0.5, { start: scenario.now - 50 * MINUTE });
  await delta();
  log('fraud', 0.5);
  await delta();
  // Invalid values are a finding of data quality.
  for (let i = 0; i < 20; i++) log('invalid', Number.NaN);
  await delta();
  // A training that began before the span of the lights.
  scenario.log('churn', 0.5, { start: scenario.now - 30 * HOUR, end: scenario.now + 14 * MINUTE });
  for (let i = 0; i < 3; i++) await delta();
  return live;
}

describe('A replay', () => {
  afterEach(close);

  test('makes the transitions that the service made', async () => {
    const live = await liveHistory();
    const again = await replayed(START + STEP * MINUTE, scenario.now, STEP);
    expect(describeAll(again)).toEqual(describeAll(live));
    const changes = new Set(
      live.map(({ incident, change, digest_reason }) => `${incident.rule} ${change} ${digest_reason}`),
    );
    for (const each of [
      'critical_runs fired null',
      'critical_runs recovered null',
      'critical_runs fired late_data',
      'newest_run fired null',
      'silent fired null',
      'quality fired null',
    ]) {
      expect(changes).toContain(each);
    }
  });

  test('of a history that was read afterwards is as if it had been watched', async () => {
    await open();
    scenario.log('churn', 0.9, { start: START - 3 * DAY });
    scenario.log('churn', 0.5, { start: START - 2 * DAY + 10 * MINUTE, end: START - 2 * DAY + 3 * HOUR });
    await scenario.service.run('bootstrap');
    const transitions = await replayed(START - 4 * DAY, START - 2 * DAY + 6 * HOUR, 60);
    const fired = transitions.filter(({ change }) => change === 'fired');
    // Not at its start, and not late, although it was observed two days later.
    expect(fired.map(({ at, digest_reason, incident }) => [at, digest_reason, incident.rule])).toEqual([
      [new Date(START - 2 * DAY + 3 * HOUR).toISOString(), null, 'critical_runs'],
    ]);
  });
});

describe('alerts replay', () => {
  const days = { from: '2026-03-08', to: '2026-03-10', step: HOUR, json: false };

  async function printed(options: Partial<ReplayOptions> = {}, file?: string): Promise<string> {
    const lines: string[] = [];
    jest.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
    const { settings } = scenario.service.resources;
    const own = file === undefined ? settings : { ...settings, ALERTS_FILE: file };
    await replay(own, { ...days, ...options }, scenario.now);
    return lines.join('\n');
  }

  async function redHistory(application: string): Promise<void> {
    scenario.log(application, 0.9, { start: START - 30 * HOUR });
    scenario.log(application, 0.5, { start: START - DAY });
    for (let i = 0; i < 10; i++) scenario.log(application, 0.9, { start: START - 22 * HOUR });
    await scenario.service.run('bootstrap');
  }

  describe('on one history', () => {
    beforeAll(async () => {
      await open();
      await redHistory('churn');
    });
    afterAll(close);

    it('prints the messages, the alerts per week, and of each rule the noise', async () => {
      const before = await readdir(scenario.service.resources.settings.STORAGE_DIR, { recursive: true });
      expect((await printed()).split('\n')).toEqual([
        '9 Mar at 16:00 UTC  CRITICAL churn · accuracy 0.5 < 0.7 · since 15:30 · 1 of 2 runs',
        expect.stringMatching(/^9 Mar at \d\d:00 UTC {2}RECOVERED churn · critical runs /),
        '',
        'WEEK FROM   ALERTS  ONLY IN THE DIGEST',
        '2026-03-08  1       0',
        '',
        'RULE           ALERTS  ONLY IN THE DIGEST  MEDIAN TIME TO RECOVERY  SHARE OF ALERTS',
        'critical_runs  1       0                   3 h                      100 %',
        '',
        'Not replayed: mlflow_down, catalog_down, store_down, queue_down, experiment_refused. Whether services answered is not stored.',
        'Not replayed before 2026-03-10T15:30:00.000Z: quality. Its verdicts begin then.',
        'Not applied: mutes, acknowledgements, quiet hours, routes and repetitions.',
      ]);
      expect(await readdir(scenario.service.resources.settings.STORAGE_DIR, { recursive: true })).toEqual(
        before,
      );
    });

    it('judges by ALERTS_FILE', async () => {
      const file = join(temp, 'alerts.yaml');
      await writeFile(
        file,
        'version: 1\nrules:\n  critical_runs: { limit: 60 }\n  pass_rate: { enabled: false }\n  newest_run: { enabled: false }\n',
      );
      expect(await printed({}, file)).toContain('Nothing would have fired.');
      await writeFile(file, 'version: 1\nrules:\n  critical_runs: { severity: loud }\n');
      await expect(printed({}, file)).rejects.toThrow(/alerts\.yaml, line 3: rules\.critical_runs\.severity/);
    });

    it('refuses reversed days and steps that are too short', async () => {
      await expect(printed({ from: '2026-03-11', to: '2026-03-10' })).rejects.toMatchObject({
        code: 'wrong_days',
      });
      await expect(printed({ step: 1000 })).rejects.toMatchObject({ code: 'wrong_step' });
    });
  });

  describe('on another one', () => {
    beforeAll(() => open());
    afterAll(close);

    it('refuses an empty store, and prints hostile names on one line, without control characters', async () => {
      await expect(printed()).rejects.toMatchObject({ code: 'nothing_stored' });
      await redHistory('churn\u001b[2J\nCRITICAL \u202efraud');
      const text = await printed();
      const json = await printed({ json: true });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(text + json).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
      expect(text.split('\n').filter((line) => /^CRITICAL/.test(line))).toEqual([]);
      const [first] = JSON.parse(json.slice(json.indexOf('{'))).alerts;
      expect(first).toMatchObject({ news: 'fired', rule: 'critical_runs', scope: 'application' });
    });
  });
});
