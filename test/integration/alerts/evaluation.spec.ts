import { AlertChain } from '../../../src/state/alerts/evaluations.js';
import { AlertScenario, DAY, digestOf, HOUR, MINUTE, messagesOf, START } from './alert-scenario.js';

let scenario: AlertScenario;
beforeEach(async () => {
  scenario = new AlertScenario();
  await scenario.open();
});
afterEach(() => scenario.close());

test('What is red at the first evaluation goes to the digest, and stays out of messages', async () => {
  scenario.log('churn', 0.5);
  await scenario.service.run('bootstrap');
  const first = await scenario.delta();
  expect(messagesOf(first)).toEqual([]);
  expect(digestOf(first)).toEqual(['fired critical_runs of churn: first_evaluation']);
  expect(messagesOf(await scenario.delta())).toEqual([]);
});

test('A run that turns an application red is one message that says which metric, limit, run, user and owner', async () => {
  scenario.log('churn', 0.9, { start: START - HOUR, metrics: { loss: 3 } });
  await scenario.begin();
  const run_id = scenario.log('churn', 0.5, { tags: { owner: 'ml-churn' }, metrics: { loss: 3 } });
  const [fired, ...more] = (await scenario.delta()).filter(({ change }) => change === 'fired');
  expect(more).toEqual([]);
  expect(fired).toMatchObject({
    change: 'fired',
    digest_only: false,
    incident: {
      rule: 'critical_runs',
      subject: { scope: 'application', application: 'churn' },
      severity: 'critical',
      owner: 'ml-churn',
      evidence: {
        value: 50,
        limit: 20,
        runs: { bad: 1, all: 2 },
        run: { run_id, run_name: 'churn-run', user: 'ana' },
        cause: 'new_value',
        coverage: { monitored: 1, all: 2 },
        worst_metric: { metric_name: 'accuracy', value: 0.5, limit: 0.7 },
      },
    },
  });
  expect(messagesOf(await scenario.delta())).toEqual([]);
});

test('It recovers when enough good runs follow', async () => {
  scenario.log('churn', 0.9);
  await scenario.begin();
  scenario.log('churn', 0.5);
  await scenario.delta();
  for (let i = 0; i < 10; i++) scenario.log('churn', 0.9);
  expect(messagesOf(await scenario.delta())).toEqual([]);
  expect(messagesOf(await scenario.delta(35))).toEqual(['recovered critical_runs of churn']);
});

test('A training of 30 hours that ends badly alerts, although it started before the span of the lights', async () => {
  scenario.log('churn', 0.9, { start: START - 40 * HOUR });
  await scenario.begin();
  scenario.log('churn', 0.5, { start: scenario.now - 30 * HOUR, end: scenario.now });
  const fired = await scenario.delta();
  expect(messagesOf(fired)).toEqual(['fired newest_run of churn']);
  expect(fired[0]?.incident.evidence).toMatchObject({ value: 0.5, limit: 0.7, display_name: 'accuracy' });
});

test('One metric of many that is red in an application that is not', async () => {
  const good = () => scenario.log('churn', 0.9);
  for (let i = 0; i < 20; i++) good();
  await scenario.begin();
  await scenario.service.writeCatalog({
    metrics: [],
    thresholds: [
      { metric_name: 'accuracy', critical_threshold: 0.7, warning_threshold: 0.8 },
      { metric_name: 'recall', critical_threshold: 0.7, warning_threshold: 0.8 },
    ],
  });
  scenario.log('churn', 0.9, { metrics: { recall: 0.4 }, start: scenario.now - 3 * MINUTE });
  good();
  const fired = await scenario.delta();
  expect(messagesOf(fired)).toEqual(['fired critical_runs of churn']);
  expect(fired.find(({ change }) => change === 'fired')?.incident).toMatchObject({
    subject: { scope: 'metric', metric: 'recall' },
    evidence: { runs: { bad: 1, all: 1 }, worst_metric: { metric_name: 'recall', value: 0.4, limit: 0.7 } },
  });
});

describe('late runs', () => {
  test('of 30 red days that a backfill brings page nobody', async () => {
    scenario.log('fraud', 0.9, { start: START - HOUR });
    await scenario.begin();
    for (let day = 0; day < 30; day++) scenario.log('churn', 0.5, { start: scenario.now - day * DAY - HOUR });
    const day = (ms: number) => Math.floor(ms / DAY) * DAY;
    await scenario.service.run('backfill', { from: day(START - 31 * DAY), to: day(START) + DAY });
    const after = await scenario.delta();
    expect(messagesOf(after)).toEqual([]);
    expect(digestOf(after)).toEqual(['fired critical_runs of churn: late_data']);
    expect(messagesOf(await scenario.delta())).toEqual([]);
  });

  test('are followed by a message as soon as a run on time is red', async () => {
    scenario.log('churn', 0.9, { start: START - 30 * HOUR });
    await scenario.begin();
    scenario.log('churn', 0.5, { start: scenario.now - 40 * MINUTE });
    expect(messagesOf(await scenario.delta())).toEqual([]);
    scenario.log('churn', 0.5);
    expect(messagesOf(await scenario.delta())).toEqual(['fired critical_runs of churn']);
  });

  test('that reverse an alert correct it', async () => {
    scenario.log('churn', 0.9, { start: START - 30 * HOUR });
    await scenario.begin();
    scenario.log('churn', 0.5, { start: scenario.now - 50 * MINUTE, end: scenario.now - MINUTE });
    expect(messagesOf(await scenario.delta())).toEqual(['fired critical_runs of churn']);
    for (let i = 0; i < 9; i++) scenario.log('churn', 0.9, { start: scenario.now - 45 * MINUTE });
    scenario.log('churn', 0.9);
    expect(messagesOf(await scenario.delta())).toEqual(['corrected critical_runs of churn']);
  });
});

test('An application that stops against its rhythm is silent', async () => {
  for (let hour = 1; hour <= 48; hour++) scenario.log('churn', 0.9, { start: START - hour * HOUR });
  await scenario.begin();
  expect(messagesOf(await scenario.delta(45))).toEqual([]);
  const silent = await scenario.delta(60);
  expect(messagesOf(silent)).toEqual(['fired silent of churn']);
  expect(silent[0]?.incident.evidence).toMatchObject({ limit: HOUR });
  scenario.log('churn', 0.9);
  expect(messagesOf(await scenario.delta())).toEqual(['recovered silent of churn']);
});

test('Runs that only become too old are no recovery', async () => {
  scenario.log('fraud', 0.9);
  await scenario.begin();
  scenario.log('churn', 0.5);
  await scenario.delta();
  const aged = await scenario.delta(25 * 60);
  expect(aged.map(({ change }) => change)).toContain('no_data');
  expect(messagesOf(aged)).toEqual(['no_data critical_runs of churn']);
});

test('Two schedulers decide once', async () => {
  scenario.log('churn', 0.9);
  await scenario.begin();
  const other = scenario.newEvaluator();
  scenario.log('churn', 0.5);
  scenario.now += 5 * MINUTE;
  await scenario.service.run('delta');
  const sealed = await Promise.all([scenario.evaluator.evaluateData(), other.evaluateData()]);
  expect(sealed.filter((each) => each !== null)).toHaveLength(1);
  const chain = new AlertChain(scenario.service.resources.store);
  const told: string[] = [];
  for await (const { transitions } of chain.after(0)) told.push(...messagesOf(transitions));
  expect(told).toEqual(['fired critical_runs of churn']);
});

test('A delta is evaluated once, also by a process that starts later', async () => {
  scenario.log('churn', 0.9);
  await scenario.begin();
  scenario.log('churn', 0.5);
  await scenario.delta();
  expect(await scenario.evaluator.evaluateData()).toBeNull();
  expect(await scenario.newEvaluator().evaluateData()).toBeNull();
});

test('After an upgrade, what is newly red goes to the digest', async () => {
  scenario.log('churn', 0.9);
  await scenario.begin();
  scenario.evaluator = scenario.newEvaluator('2');
  scenario.log('churn', 0.5);
  expect(digestOf(await scenario.delta())).toEqual(['fired critical_runs of churn: upgrade']);
});
