import type { AlertTransition } from '../../../src/domain/alerts/incident.js';
import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import {
  AlertScenario,
  DAY,
  digestOf,
  HOUR,
  MINUTE,
  messagesOf,
  RHYTHM_DAYS,
  START,
} from './alert-scenario.js';

/** One service for all cases: each has applications of its own, and goes on where the one before has stopped the clock. */
let scenario: AlertScenario;
let first: readonly AlertTransition[];
beforeAll(async () => {
  scenario = new AlertScenario();
  await scenario.open(RHYTHM_DAYS);
  scenario.logHourly('hourly');
  scenario.log('red-before', 0.5);
  await scenario.service.run('bootstrap');
  first = await scenario.delta();
});
afterAll(() => scenario.close());

/** The transitions of one application. */
const of = (application: string, transitions: readonly AlertTransition[]) =>
  transitions.filter(({ incident }) => incident.subject.application === application);

test('What is red at the first evaluation goes to the digest, and stays out of messages', async () => {
  expect(messagesOf(first)).toEqual([]);
  expect(digestOf(first)).toEqual(['fired critical_runs of red-before: first_evaluation']);
  expect(messagesOf(await scenario.delta())).toEqual([]);
});

test('An application that stops against its rhythm is silent', async () => {
  expect(messagesOf(await scenario.delta(45))).toEqual([]);
  const silent = of('hourly', await scenario.delta(60));
  expect(messagesOf(silent)).toEqual(['fired silent of hourly']);
  expect(silent[0]?.incident.evidence).toMatchObject({ value: scenario.now - START + HOUR });
  scenario.log('hourly', 0.9);
  expect(messagesOf(await scenario.delta())).toEqual(['recovered silent of hourly']);
});

test('A run that turns an application red is one message that says which metric, limit, run, user and owner', async () => {
  scenario.log('owned', 0.9, { metrics: { loss: 3 } });
  await scenario.delta();
  const run_id = scenario.log('owned', 0.5, { tags: { owner: 'ml-churn' }, metrics: { loss: 3 } });
  const [fired, ...more] = (await scenario.delta()).filter(({ change }) => change === 'fired');
  expect(more).toEqual([]);
  expect(fired).toMatchObject({
    change: 'fired',
    digest_only: false,
    incident: {
      rule: 'critical_runs',
      subject: { scope: 'application', application: 'owned' },
      severity: 'critical',
      owner: 'ml-churn',
      evidence: {
        value: 50,
        limit: 20,
        runs: { bad: 1, all: 2 },
        run: { run_id, run_name: 'owned-run', user: 'ana' },
        cause: 'new_value',
        coverage: { monitored: 1, all: 2 },
        worst_metric: { metric_name: 'accuracy', value: 0.5, limit: 0.7 },
      },
    },
  });
  expect(messagesOf(of('owned', await scenario.delta()))).toEqual([]);
});

test('It recovers when enough good runs follow', async () => {
  for (let i = 0; i < 10; i++) scenario.log('owned', 0.9);
  expect(messagesOf(of('owned', await scenario.delta()))).toEqual([]);
  expect(messagesOf(of('owned', await scenario.delta(35)))).toEqual(['recovered critical_runs of owned']);
});

test('A training of 30 hours that ends badly alerts, although it started before the span of the lights', async () => {
  scenario.log('training', 0.5, { start: scenario.now - 30 * HOUR, end: scenario.now });
  const fired = of('training', await scenario.delta());
  expect(messagesOf(fired)).toEqual(['fired newest_run of training']);
  expect(fired[0]?.incident.evidence).toMatchObject({ value: 0.5, limit: 0.7, display_name: 'accuracy' });
});

test('One metric of many that is red in an application that is not', async () => {
  for (let i = 0; i < 20; i++) scenario.log('wide', 0.9);
  scenario.log('wide', 0.9, { metrics: { recall: 0.4 }, start: scenario.now - 3 * MINUTE });
  scenario.log('wide', 0.9);
  const fired = of('wide', await scenario.delta());
  expect(messagesOf(fired)).toEqual(['fired critical_runs of wide']);
  expect(fired.find(({ change }) => change === 'fired')?.incident).toMatchObject({
    subject: { scope: 'metric', metric: 'recall' },
    evidence: { runs: { bad: 1, all: 1 }, worst_metric: { metric_name: 'recall', value: 0.4, limit: 0.7 } },
  });
});

describe('late runs', () => {
  test('of red days that a backfill brings page nobody', async () => {
    // An evaluation reads 7 days of runs.
    for (let day = 0; day < 10; day++)
      scenario.log('backfilled', 0.5, { start: scenario.now - day * DAY - HOUR });
    const day = (ms: number) => Math.floor(ms / DAY) * DAY;
    await scenario.service.run('backfill', { from: day(START - 10 * DAY), to: day(scenario.now) + DAY });
    const after = of('backfilled', await scenario.delta());
    expect(messagesOf(after)).toEqual([]);
    expect(digestOf(after)).toEqual(['fired critical_runs of backfilled: late_data']);
    expect(messagesOf(of('backfilled', await scenario.delta()))).toEqual([]);
  });

  test('are followed by a message as soon as a run on time is red', async () => {
    scenario.log('late', 0.5, { start: scenario.now - 40 * MINUTE });
    expect(messagesOf(of('late', await scenario.delta()))).toEqual([]);
    scenario.log('late', 0.5);
    expect(messagesOf(of('late', await scenario.delta()))).toEqual(['fired critical_runs of late']);
  });

  test('that reverse an alert correct it', async () => {
    scenario.log('reversed', 0.5, { start: scenario.now - 50 * MINUTE, end: scenario.now - MINUTE });
    expect(messagesOf(of('reversed', await scenario.delta()))).toEqual(['fired critical_runs of reversed']);
    for (let i = 0; i < 9; i++) scenario.log('reversed', 0.9, { start: scenario.now - 45 * MINUTE });
    scenario.log('reversed', 0.9);
    expect(messagesOf(of('reversed', await scenario.delta()))).toEqual([
      'corrected critical_runs of reversed',
    ]);
  });
});

test('Runs that only become too old are no recovery, and their run does not alert again', async () => {
  scenario.log('aged', 0.5, { start: scenario.now - 30 * MINUTE, end: scenario.now });
  await scenario.delta();
  // The hours of the span end before the day after the end of the run does.
  const aged = of('aged', await scenario.delta(23 * 60 + 40));
  expect(messagesOf(aged)).toEqual(['no_data critical_runs of aged']);
});

test('Two schedulers decide once, and a process that starts later does not decide again', async () => {
  const other = scenario.newEvaluator();
  scenario.log('two', 0.5);
  const { sequence } = (await scenario.newest()) ?? { sequence: 0 };
  scenario.now += 5 * MINUTE;
  await scenario.service.run('delta');
  const sealed = await Promise.all([scenario.evaluator.evaluateData(), other.evaluateData()]);
  expect(sealed.filter((each) => each !== null)).toHaveLength(1);
  const chain = new AlertChain(scenario.service.resources.store);
  const told: string[] = [];
  for await (const { transitions } of chain.after(sequence)) told.push(...messagesOf(of('two', transitions)));
  expect(told).toEqual(['fired critical_runs of two']);
  expect(await scenario.evaluator.evaluateData()).toBeNull();
  expect(await scenario.newEvaluator().evaluateData()).toBeNull();
});

test('After an upgrade, what is newly red goes to the digest', async () => {
  scenario.evaluator = scenario.newEvaluator('2');
  scenario.log('upgraded', 0.5);
  expect(digestOf(of('upgraded', await scenario.delta()))).toEqual([
    'fired critical_runs of upgraded: upgrade',
  ]);
});
