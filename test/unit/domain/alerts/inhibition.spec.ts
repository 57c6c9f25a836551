import type { Mute } from '../../../../src/domain/alerts/actions.js';
import { isTold } from '../../../../src/domain/alerts/transitions.js';
import { application, changes, Evaluations, metric, START, signal } from './signals.js';

const critical = signal('violated');
const passRate = signal('violated', { rule: 'pass_rate' });
const recall = signal('violated', { subject: metric('fraud', 'recall') });

const told = (evaluations: Evaluations) =>
  evaluations.all
    .flatMap(({ transitions }) => transitions.filter(isTold))
    .map(({ incident }) => incident.rule);

test('Of an application with a high share of critical runs, a low pass rate and red metrics, only the first is told', () => {
  const evaluations = Evaluations.quiet();
  const newest = signal('violated', { rule: 'newest_run' });
  evaluations.next([recall, newest, passRate, critical]);
  expect(told(evaluations)).toEqual(['critical_runs']);
  expect(evaluations.newest?.incidents).toHaveLength(4);
});

test('An alert of another application is not inhibited', () => {
  const evaluations = Evaluations.quiet();
  const other = signal('violated', { subject: metric('churn', 'recall') });
  expect(changes(evaluations.next([critical, other])).sort()).toEqual(['fired', 'fired']);
});

test('What was inhibited is told once it is not, if it still violates its limit', () => {
  const evaluations = Evaluations.quiet();
  evaluations.next([critical, recall]);
  const recovered = signal('met');
  expect(evaluations.during(30, [recovered, recall])).toEqual(['recovering']);
  expect(changes(evaluations.next([recovered, recall])).sort()).toEqual(['fired', 'recovered']);
});

test('What recovers while it is inhibited was never told, and neither is its end', () => {
  const evaluations = Evaluations.quiet();
  evaluations.next([critical, recall]);
  const ended = evaluations.during(60, [critical, signal('met', { subject: recall.subject })]);
  expect(ended).toEqual(['recovering', 'cleared']);
});

test('What late runs show of an application does not hide what runs on time show of its metric', () => {
  const evaluations = Evaluations.quiet();
  evaluations.next([signal('violated', { verdict_on_time: 'met' })]);
  expect(evaluations.next([signal('violated', { verdict_on_time: 'met' }), recall])).toMatchObject([
    { change: 'fired', digest_only: false, incident: { subject: { metric: 'recall' } } },
  ]);
});

describe('a mute', () => {
  const mute = (parts: Partial<Mute>): Mute => ({
    id: '1',
    incident: null,
    application: null,
    metric: null,
    from: new Date(START).toISOString(),
    until: new Date(START + 3_600_000).toISOString(),
    by: 'ana',
    reason: 'retraining',
    ...parts,
  });
  const muted = (parts: Partial<Mute>): Evaluations => {
    const evaluations = Evaluations.quiet();
    evaluations.actions = { mutes: [mute(parts)], acknowledgements: [] };
    return evaluations;
  };

  test('of an application tells nothing of it and its metrics until its end, then what still fires', () => {
    const evaluations = muted({ application: 'fraud' });
    expect(evaluations.during(50, [critical, recall])).toEqual(['muted', 'muted']);
    expect(told(evaluations)).toEqual([]);
    expect(evaluations.newest?.incidents).toMatchObject([
      { state: 'firing', muted: { by: 'ana', reason: 'retraining' } },
      { state: 'firing', inhibited_by: expect.stringContaining('application') },
    ]);
    evaluations.during(5, [critical, recall]);
    expect(told(evaluations)).toEqual(['critical_runs']);
  });

  test('of a metric or another application does not mute this one', () => {
    for (const parts of [{ application: 'fraud', metric: 'recall' }, { application: 'churn' }]) {
      expect(changes(muted(parts).next([critical]))).toEqual(['fired']);
    }
  });

  test('of an incident that was told also silences its recovery', () => {
    const evaluations = Evaluations.quiet();
    evaluations.next([critical]);
    const id = evaluations.newest?.incidents[0]?.id ?? '';
    evaluations.actions = { mutes: [mute({ incident: id })], acknowledgements: [] };
    expect(changes(evaluations.next([critical]))).toEqual(['muted']);
    expect(evaluations.during(40, [signal('met')])).toEqual(['recovering', 'cleared']);
  });
});

test('An acknowledgement is a transition, and stays with the incident', () => {
  const evaluations = Evaluations.quiet();
  evaluations.next([critical]);
  const incident = evaluations.newest?.incidents[0]?.id ?? '';
  const at = new Date(START).toISOString();
  evaluations.actions = { mutes: [], acknowledgements: [{ incident, at, by: 'ana' }] };
  expect(evaluations.during(30, [critical])).toEqual(['acknowledged']);
  expect(evaluations.newest?.incidents).toMatchObject([{ acknowledged: { by: 'ana' } }]);
});

test('A subject is an application by its exact name', () => {
  expect(
    changes(Evaluations.quiet().next([critical, signal('violated', { subject: application('fraud-2') })])),
  ).toEqual(['fired', 'fired']);
});
