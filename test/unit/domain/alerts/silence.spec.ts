import { dataSignals } from '../../../../src/domain/alerts/data-signals.js';
import type { ApplicationMeasurement } from '../../../../src/domain/alerts/measurements.js';
import { DEFAULT_POLICY } from '../../../../src/domain/alerts/policy.js';
import { NO_TALLY } from '../../../../src/domain/alerts/rate-rules.js';
import { runHistoryOf, silenceVerdict } from '../../../../src/domain/alerts/silence.js';
import { isTold } from '../../../../src/domain/alerts/transitions.js';
import { domainDefaults } from '../../../support/defaults.js';
import { Evaluations } from './signals.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const at = (time: string): number => Date.parse(`2026-${time}Z`);
/** A Monday. */
const BEGIN = at('02-02T00:00');

/** Run times: `perDay(weekday, hour)` runs in each hour until `end`. */
function runsUntil(end: number, runsAt: (weekday: number, hour: number) => boolean, from = BEGIN): number[] {
  const hours = Array.from({ length: Math.ceil((end - from) / HOUR) }, (_, i) => from + i * HOUR);
  return hours.filter((ms) => runsAt(new Date(ms).getUTCDay(), new Date(ms).getUTCHours()));
}
const hourly = () => true;
const nightly = (_: number, hour: number) => hour === 2;
const officeHours = (weekday: number, hour: number) => ![0, 6].includes(weekday) && hour >= 9 && hour < 17;

const verdictAt = (times: readonly number[], now: number) => {
  const history = runHistoryOf(times);
  return history && silenceVerdict(history, now, 2);
};

describe('An application that stops', () => {
  test.each([
    ['hourly', hourly, '02-24T12:00', 2.1, 1.9],
    ['each night', nightly, '02-24T12:00', 48.1, 47.9],
    // Its usual pause is that from 16:00 to 09:00.
    ['in office hours, on a Tuesday', officeHours, '02-24T12:00', 34.1, 33.9],
  ])('%s is silent after twice its usual pause', (_, runsAt, stops, silent, met) => {
    const times = runsUntil(at(stops), runsAt);
    const last = times.at(-1) ?? 0;
    expect(verdictAt(times, last + met * HOUR)).toBe('met');
    expect(verdictAt(times, last + silent * HOUR)).toBe('violated');
  });

  test('is gone after a further week', () => {
    const times = runsUntil(at('02-24T12:00'), hourly);
    expect(verdictAt(times, at('03-03T12:00'))).toBe('past');
    expect(verdictAt(times, at('03-03T14:00'))).toBe('gone');
  });

  test('after less than two weeks of runs is not silent: how it runs is not known', () => {
    const stops = BEGIN + 13.9 * DAY;
    expect(verdictAt(runsUntil(stops, hourly), stops + DAY)).toBe('unknown');
    expect(verdictAt(runsUntil(stops + 3 * HOUR, hourly), stops + DAY)).toBe('violated');
  });

  test('and was silent for more than a day when it is first seen is not told by a message', () => {
    const times = runsUntil(at('02-24T12:00'), hourly);
    expect(verdictAt(times, at('02-25T13:00'))).toBe('violated');
    expect(verdictAt(times, at('02-25T14:00'))).toBe('past');
  });
});

describe('A weekend without runs', () => {
  const times = runsUntil(at('02-27T23:00'), officeHours);
  test('is usual for an application that runs on weekdays', () => {
    for (const time of ['02-28T12:00', '03-01T12:00', '03-02T08:00', '03-02T23:00']) {
      expect(verdictAt(times, at(time))).toBe('met');
    }
  });

  test('is not, once the Monday after it is over', () => {
    expect(verdictAt(times, at('03-03T10:00'))).toBe('violated');
  });

  test('is not for an application that runs on weekends as well', () => {
    expect(verdictAt(runsUntil(at('02-27T23:00'), hourly), at('02-28T02:00'))).toBe('violated');
  });
});

test('An outage in one of several weeks does not make the application slow to be called silent', () => {
  const all = runsUntil(at('02-24T12:00'), hourly);
  const times = all.filter((ms) => ms < at('02-17T00:00') || ms >= at('02-18T00:00'));
  expect(verdictAt(times, at('02-24T15:00'))).toBe('violated');
});

describe('All applications together', () => {
  const STOP = at('02-24T12:00');
  const application = (name: string, times: readonly number[], now: number): ApplicationMeasurement => ({
    application: name,
    owner: null,
    contact: null,
    runbook: null,
    tally: NO_TALLY,
    coverage: null,
    reason: null,
    ended: [],
    ended_metric: null,
    last_run: times.at(-1) ?? null,
    running: false,
    is_current: true,
    times: now - (times.at(-1) ?? 0) > 2 * HOUR ? times : [],
  });
  type Company = Readonly<Record<string, readonly number[]>>;

  /** What is told until `to` by hourly evaluations: `time change application`. */
  function told(company: Company, to: number, change: (each: ApplicationMeasurement) => object = () => ({})) {
    const evaluations = Evaluations.quiet();
    const messages: string[] = [];
    for (let now = STOP; now <= to; now += HOUR) {
      const known = Object.entries(company).map(
        ([name, times]) => [name, times.filter((ms) => ms <= now)] as const,
      );
      const merged = known.flatMap(([, times]) => times).sort((a, b) => a - b);
      const measured = {
        to: now,
        settings: domainDefaults,
        applications: known.map(([name, times]) => {
          const each = application(name, times, now);
          return { ...each, ...change(each) };
        }),
        all_runs: runHistoryOf(merged),
        metrics: [],
        likely: [],
        quality: [],
      };
      const signals = dataSignals(measured, DEFAULT_POLICY, evaluations.newest?.incidents ?? []);
      const transitions = evaluations.next(signals, { to: now, periodMs: HOUR });
      for (const { at: time, change: news, incident } of transitions.filter(isTold)) {
        messages.push(`${time.slice(5, 16)} ${news} ${incident.subject.application ?? 'platform'}`);
      }
    }
    return messages;
  }

  const OVER = STOP + DAY;
  const withOutage = (runsAt: (weekday: number, hour: number) => boolean) =>
    runsUntil(at('02-28T00:00'), runsAt).filter((ms) => ms < STOP || ms >= OVER);
  const company: Company = {
    fast: withOutage(hourly),
    slow: withOutage((_, hour) => hour % 4 === 3),
    nightly: withOutage(nightly),
  };

  test('that stop are one message, and one when the first runs again', () => {
    expect(told(company, at('02-27T12:00'))).toEqual([
      '02-24T14:00 fired platform',
      '02-25T12:00 recovered platform',
    ]);
  });

  test('are followed by one that does not run again, once its own usual pause is over', () => {
    const stopped = { ...company, slow: company.slow?.filter((ms) => ms < STOP) ?? [] };
    expect(told(stopped, at('02-26T12:00'))).toEqual([
      '02-24T14:00 fired platform',
      '02-25T12:00 recovered platform',
      // More than 8 hours after the others.
      '02-25T21:00 fired slow',
    ]);
  });

  test('do not call one that was silent before them running again', () => {
    const stopped = { ...company, slow: company.slow?.filter((ms) => ms < STOP - 13 * HOUR) ?? [] };
    expect(told(stopped, at('02-25T20:00'))).toEqual([
      '02-24T12:00 fired slow',
      '02-24T14:00 fired platform',
      '02-25T12:00 recovered platform',
    ]);
  });

  test('do not wait for those that nobody waits for: after a further week nothing is told', () => {
    const stopped = Object.fromEntries(
      Object.entries(company).map(([name, times]) => [name, times.filter((ms) => ms < STOP)]),
    );
    expect(told(stopped, at('03-10T12:00'))).toEqual(['02-24T14:00 fired platform']);
  });

  test('are not silent while all but one have a run in progress', () => {
    const running = ({ application: name }: ApplicationMeasurement) => ({ running: name !== 'nightly' });
    expect(told(company, at('02-25T10:00'), running)).toEqual([]);
  });

  test('need two whose runs are all published', () => {
    const behind = ({ application: name }: ApplicationMeasurement) => ({ is_current: name === 'fast' });
    expect(told(company, at('02-24T20:00'), behind)).toEqual(['02-24T14:00 fired fast']);
  });
});
