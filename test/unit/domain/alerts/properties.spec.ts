import fc from 'fast-check';
import type { AlertTransition } from '../../../../src/domain/alerts/incident.js';
import { DEFAULT_POLICY } from '../../../../src/domain/alerts/policy.js';
import { VERDICTS, type Verdict } from '../../../../src/domain/alerts/signal.js';
import { isTold } from '../../../../src/domain/alerts/transitions.js';
import { application, Evaluations, MINUTE, metric, PERIOD, policyWith, START, signal } from './signals.js';

const SUBJECTS = [application('a'), application('b'), metric('a', 'm'), metric('b', 'm')];
const RULES = ['critical_runs', 'pass_rate', 'newest_run'] as const;

interface Measured {
  readonly subject: number;
  readonly rule: (typeof RULES)[number];
  readonly verdict: Verdict;
  readonly onTime: Verdict;
  readonly beforeLate: Verdict;
}

const verdict = fc.constantFrom(...VERDICTS);
const measured: fc.Arbitrary<Measured> = fc.record({
  subject: fc.nat(SUBJECTS.length - 1),
  rule: fc.constantFrom(...RULES),
  verdict,
  onTime: verdict,
  beforeLate: verdict,
});
/** One delta after another: the periods since the one before, and what is measured. */
const deltas = fc.array(
  fc.record({ periods: fc.integer({ min: 1, max: 5 }), signals: fc.array(measured, { maxLength: 6 }) }),
  { maxLength: 60 },
);
const policies = fc
  .record({
    violations: fc.integer({ min: 1, max: 3 }),
    evaluations: fc.integer({ min: 3, max: 4 }),
    for_minutes: fc.constantFrom(0, 10, 30),
    keep_firing_minutes: fc.constantFrom(0, 15, 30),
    no_data: fc.constantFrom('alert', 'keep', 'ok', 'ignore'),
  } as const)
  .map((changes) => policyWith('critical_runs', changes));

const signalsOf = (all: readonly Measured[]) =>
  all.map((each) =>
    signal(each.verdict, {
      rule: each.rule,
      subject: SUBJECTS[each.subject] ?? application('a'),
      verdict_on_time: each.onTime,
      verdict_before_late: each.beforeLate,
    }),
  );

type Deltas = readonly { readonly periods: number; readonly signals: readonly Measured[] }[];

function play(evaluations: Evaluations, all: Deltas): Evaluations {
  for (const { periods, signals } of all) {
    evaluations.next(signalsOf(signals), { to: evaluations.to + periods * PERIOD });
  }
  return evaluations;
}

const transitionsOf = ({ all }: Evaluations): AlertTransition[] =>
  all.flatMap(({ transitions }) => transitions);
/** The transitions that are told, by incident. */
function toldByIncident(evaluations: Evaluations): Map<string, AlertTransition[]> {
  const byIncident = new Map<string, AlertTransition[]>();
  for (const each of transitionsOf(evaluations).filter(isTold)) {
    byIncident.set(each.incident.id, [...(byIncident.get(each.incident.id) ?? []), each]);
  }
  return byIncident;
}

test('One incident is paged at most once, and its end is told at most once, as the last thing', () => {
  fc.assert(
    fc.property(policies, deltas, (policy, all) => {
      for (const told of toldByIncident(play(Evaluations.quiet(policy), all)).values()) {
        const pages = told.filter(({ change, digest_only }) => change === 'fired' && !digest_only);
        expect(pages.length).toBeLessThanOrEqual(1);
        const ends = told.filter(({ to }) => to === 'ok');
        expect(ends.length).toBeLessThanOrEqual(1);
        if (ends.length > 0) expect(told.at(-1)).toBe(ends[0]);
      }
    }),
  );
});

test('It does not flap faster than the recovery rule: it fires for its keep-firing time at least', () => {
  fc.assert(
    fc.property(policies, deltas, (policy, all) => {
      for (const { change, at, incident } of transitionsOf(play(Evaluations.quiet(policy), all))) {
        if (change !== 'recovered') continue;
        const { keep_firing_minutes } = policy.rules[incident.rule];
        const firing = Date.parse(at) - Date.parse(incident.fired_at ?? at);
        expect(firing).toBeGreaterThanOrEqual(keep_firing_minutes * MINUTE);
      }
    }),
  );
});

test('Of one rule and subject, at most one incident is open at a time', () => {
  fc.assert(
    fc.property(policies, deltas, (policy, all) => {
      for (const { incidents } of play(Evaluations.quiet(policy), all).all) {
        expect(new Set(incidents.map(({ key }) => key)).size).toBe(incidents.length);
      }
    }),
  );
});

test('Deltas that are evaluated again, at once or later, change nothing', () => {
  fc.assert(
    fc.property(deltas, fc.array(fc.nat(59)), (all, repeated) => {
      const once = play(Evaluations.quiet(), all);
      const again = Evaluations.quiet();
      const ends: number[] = [];
      for (const [i, { periods, signals }] of all.entries()) {
        const to = (ends.at(-1) ?? again.to) + periods * PERIOD;
        ends.push(to);
        again.next(signalsOf(signals), { to });
        // A job that runs twice, or a slow process with an older delta.
        for (const old of repeated.filter((each) => each <= i)) {
          const end = ends[old] ?? to;
          if (to - end <= 60 * MINUTE) again.next(signalsOf(all[old]?.signals ?? []), { to: end });
        }
      }
      expect(again.all).toEqual(once.all);
    }),
  );
});

test('What is red at the first evaluation pages nobody, however long it stays red', () => {
  fc.assert(
    fc.property(fc.array(measured, { maxLength: 6 }), fc.nat(100), (signals, count) => {
      const evaluations = new Evaluations();
      for (let i = 0; i <= count; i++) evaluations.next(signalsOf(signals));
      expect(transitionsOf(evaluations).filter((each) => isTold(each) && !each.digest_only)).toEqual([]);
    }),
  );
});

test('Muted never delivers', () => {
  const forever = { from: new Date(START).toISOString(), until: '2100-01-01T00:00:00.000Z' };
  const mutes = ['a', 'b'].map((name) => ({
    id: name,
    incident: null,
    application: name,
    metric: null,
    by: 'ana',
    reason: 'x',
    ...forever,
  }));
  fc.assert(
    fc.property(deltas, deltas, (before, after) => {
      const evaluations = play(Evaluations.quiet(), before);
      const count = evaluations.all.length;
      evaluations.actions = { mutes, acknowledgements: [] };
      play(evaluations, after);
      const muted = evaluations.all.slice(count).flatMap(({ transitions }) => transitions);
      expect(muted.filter(isTold)).toEqual([]);
    }),
  );
});

test('Of late runs only the digest tells', () => {
  fc.assert(
    fc.property(deltas, (all) => {
      const late = all.map((each) => ({
        ...each,
        signals: each.signals.map((one) => ({ ...one, onTime: 'met' as const })),
      }));
      const paged = transitionsOf(play(Evaluations.quiet(), late)).filter(
        ({ change, digest_only }) => change === 'fired' && !digest_only,
      );
      expect(paged).toEqual([]);
    }),
  );
});

test('Every rule has a policy that can fire', () => {
  for (const { violations, evaluations } of Object.values(DEFAULT_POLICY.rules)) {
    expect(violations).toBeLessThanOrEqual(evaluations);
  }
});
