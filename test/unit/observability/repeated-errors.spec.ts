import { MonitorError } from '../../../src/domain/errors.js';
import {
  CURRENT_MS,
  LINE_PERIOD_MS,
  lineOf,
  type RepeatedError,
  RepeatedErrors,
} from '../../../src/observability/repeated-errors.js';
import { reportError } from '../../../src/observability/report-error.js';

let now: number;
afterEach(() => errors.onApplicationShutdown());

let logged: string[];
let timers: (() => void)[];
let errors: RepeatedErrors;

beforeEach(() => {
  now = Date.parse('2026-03-10T15:30:00Z');
  logged = [];
  timers = [];
  errors = new RepeatedErrors({
    clock: () => now,
    log: (error: RepeatedError) => logged.push(lineOf(error)),
    later: (ms, call) => {
      expect(ms).toBe(LINE_PERIOD_MS);
      timers.push(call);
    },
  });
});

const report = (attempt: number, stage = 'fetch', experiment_id: string | null = null) =>
  errors.report({
    code: 'mlflow_unreachable',
    upstream: 'mlflow',
    experiment_id,
    stage,
    attempt,
    message: 'no answer',
    advice: null,
  });

it('logs an error at once, and its repetitions in one line a minute', () => {
  for (let i = 1; i <= 300; i++) report(i);
  expect(logged).toEqual(['fetch, attempt 1: no answer']);
  expect(timers).toHaveLength(1);
  now += LINE_PERIOD_MS;
  timers.pop()?.();
  expect(logged.slice(1)).toEqual([
    'fetch, attempt 300: no answer (300 times since 2026-03-10T15:30:00.000Z)',
  ]);
  // Nothing has occurred since.
  report(301);
  now += LINE_PERIOD_MS;
  report(302);
  timers.pop()?.();
  expect(logged.slice(2)).toEqual([
    'fetch, attempt 302: no answer (302 times since 2026-03-10T15:30:00.000Z)',
  ]);
});

it('counts errors of other stages and experiments apart, the newest first', () => {
  const first = now;
  report(1);
  now += 1_000;
  report(1, 'fetch', '7');
  now += 1_000;
  report(2);
  expect(errors.current()).toMatchObject([
    { experiment_id: null, count: 2, first, last: now, attempt: 2 },
    { experiment_id: '7', count: 1 },
  ]);
  expect(logged.at(-1)).toBe('fetch, experiment 7, attempt 1: no answer');
});

it('says what to do, and nothing about a stage or attempt that there is not', () => {
  const error = new MonitorError('queue_unreachable', 'The queue is unreachable', {}, true, {
    advice: 'Start Redis',
  });
  reportError(error, { stage: null });
  reportError(new Error('full'), { stage: 'index', upstream: 'store', prefix: 'Not saved' });
  expect(logged).toEqual(['The queue is unreachable → Start Redis', 'index: Not saved: full']);
  expect(errors.current()).toMatchObject([
    { code: 'unexpected', upstream: 'store', stage: 'index', advice: null },
    { code: 'queue_unreachable', upstream: 'queue', stage: null, advice: 'Start Redis' },
  ]);
  errors.onApplicationShutdown();
  reportError(error, { stage: null });
  expect(errors.current()).toMatchObject([{}, { count: 1 }]);
});

it('forgets an error that does not occur any more', () => {
  report(1);
  now += CURRENT_MS - 1;
  expect(errors.current()).toHaveLength(1);
  now += 1;
  expect(errors.current()).toEqual([]);
  report(1);
  expect(errors.current()).toMatchObject([{ count: 1, first: now }]);
});

it('keeps a limited number of errors', () => {
  for (let i = 0; i < 1_000; i++) report(1, 'fetch', String(i));
  expect(errors.current()[0]).toMatchObject({ experiment_id: '999' });
  expect(errors.current().length).toBeLessThanOrEqual(201);
});
