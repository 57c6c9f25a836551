import fc from 'fast-check';
import { DATE_LAG_MS } from '../../../src/domain/merge-precedence.js';
import {
  contentAt,
  MergeSimulation,
  type Server,
  type SimulatedSlice,
} from '../../support/merge-simulation.js';
import { decideMerge, latestReadTime, type ObservedRun } from '../../support/models/merge-precedence.js';

const MINUTE = 60_000;
const NOON = Date.parse('2026-03-10T12:00:00Z');

describe('the merge rule', () => {
  const stored: ObservedRun = { content: 'a', date: NOON, began: NOON - 700 };
  /** The last moment at which the server may have read the stored row. */
  const lastRead = NOON + 700 + DATE_LAG_MS;
  const incoming = (content: string | null, began: number): ObservedRun => ({
    content,
    began,
    date: began + 1000,
  });

  it('assumes that a response was read at most its duration plus the lag of the header after its Date', () => {
    expect(latestReadTime(stored)).toBe(lastRead);
  });

  it.each([
    ['a run that is not stored', undefined, incoming('a', NOON), null, 'insert'],
    ['a missing run that is not stored', undefined, incoming(null, NOON), null, undefined],
    ['equal content, however old', stored, incoming('a', 0), null, 'unchanged'],
    [
      'a run already stored as gone',
      { ...stored, content: null },
      incoming(null, lastRead + 1),
      null,
      'unchanged',
    ],
    [
      'a request that began after the stored response was read',
      stored,
      incoming('b', lastRead + 1),
      null,
      'replace',
    ],
    ['a response that may be older', stored, incoming('b', lastRead), null, 'supersede'],
    ['a run that is gone', stored, incoming(null, lastRead + 1), null, 'replace'],
    ['a run that may be gone', stored, incoming(null, lastRead), null, 'supersede'],
    ['a run that is back', { ...stored, content: null }, incoming('a', lastRead + 1), null, 'replace'],
    ['a stored time ahead by the lag', stored, incoming('b', 0), NOON - DATE_LAG_MS, 'supersede'],
    ['a stored time of a wrong clock', stored, incoming('b', 0), NOON - DATE_LAG_MS - 1, 'overrule'],
    ['a wrong clock and equal content', stored, incoming('a', 0), 0, 'unchanged'],
  ] as const)('decides on %s', (_, row, observed, serverNow, decision) => {
    expect(decideMerge(row, observed, serverNow)).toBe(decision);
  });
});

type World = [Server, SimulatedSlice[]];

const upTo = (...limits: number[]) => fc.oneof(...limits.map((max) => fc.integer({ min: 0, max })));

/** Fast and slow requests, and workers that are delayed before they merge. */
function slicesWithin(scale: number): fc.Arbitrary<SimulatedSlice[]> {
  const duration = upTo(scale / 30, scale);
  const phase = upTo(DATE_LAG_MS - 1000);
  const request = fc.record({
    phase,
    begin: upTo(scale),
    arrive: upTo(200),
    read: duration,
    reply: upTo(200),
    end: duration,
  });
  const requests = fc.oneof(
    request.map((one) => [one]),
    fc.array(request, { minLength: 2, maxLength: 2 }),
  );
  const slice = fc.record({ requests, hold: upTo(0, scale, 2 * MINUTE) });
  return fc.array(slice, { minLength: 2, maxLength: 5 });
}

function worlds(
  changesWithin: (span: number) => fc.Arbitrary<Server['changes']>,
  jumpsWithin: (span: number) => fc.Arbitrary<Server['jumps']>,
): fc.Arbitrary<World> {
  // The header is never older than DATE_LAG_MS.
  const refresh = upTo(1000, DATE_LAG_MS - 2000).map((ms) => ms + 1000);
  return fc.constantFrom(1_500, 6_000, 30_000, 2 * MINUTE).chain((scale) =>
    fc.tuple(
      fc.record({
        refresh,
        dateOfArrival: fc.boolean(),
        changes: changesWithin(2 * scale),
        jumps: jumpsWithin(2 * scale),
      }),
      slicesWithin(scale),
    ),
  );
}

/** A run that changes and never changes back, on a server whose clock is never adjusted. */
const steady = worlds(
  (span) =>
    fc
      .array(upTo(span), { minLength: 1, maxLength: 4 })
      .map((times) => [0, ...times.sort((a, b) => a - b)].map((at, i) => ({ at, content: String(i) }))),
  () => fc.constant([]),
);
/** A run that also changes back, disappears and reappears, on a server whose clock is adjusted. */
const restless = worlds(
  (span) =>
    fc
      .array(fc.record({ at: upTo(span), content: fc.constantFrom('a', 'b', 'c', null) }), { maxLength: 6 })
      .map((changes) => [{ at: 0, content: 'a' }, ...changes]),
  (span) => {
    const by = fc.oneof(...[5000, 60 * MINUTE].map((max) => fc.integer({ min: -max, max })));
    return fc.array(fc.record({ at: upTo(span), by }), { maxLength: 2 });
  },
);

/** A time after all events of a world. */
const END = 20 * MINUTE;

/** Two deltas, which fetch the runs on the open list. */
function twoDeltas(world: MergeSimulation, begin: number): void {
  for (const at of [begin, begin + 5 * MINUTE]) if (world.entry !== undefined) world.fetch(at);
}

/** Whether the base ends with the content of the newest merged response, or with something newer. */
function endsNewest(rule: typeof decideMerge, [server, slices]: World): boolean {
  const world = new MergeSimulation(server, rule);
  world.run(slices);
  twoDeltas(world, END);
  return world.entry === undefined && Number(world.row?.content) >= Number(world.newest?.content);
}

/** Whether the base ends with the content in MLflow after a sweep, which fetches every run. */
function endsTrue(rule: typeof decideMerge, [server, slices]: World): boolean {
  const world = new MergeSimulation(server, rule);
  world.run(slices);
  twoDeltas(world, END);
  world.fetch(END + 30 * MINUTE);
  twoDeltas(world, END + 31 * MINUTE);
  return world.entry === undefined && (world.row?.content ?? null) === contentAt(server, END);
}

/** The rule with a different test for whether a response is newer than the stored one. */
const newerIf =
  (isNewer: (stored: ObservedRun, incoming: ObservedRun) => boolean): typeof decideMerge =>
  (stored, incoming, serverNow) => {
    const decision = decideMerge(stored, incoming, serverNow);
    if (!stored || (decision !== 'replace' && decision !== 'supersede')) return decision;
    return isNewer(stored, incoming) ? 'replace' : 'supersede';
  };

describe('a simulation of MLflow, its readers and the base', () => {
  it('ends with no row older than a response, after two deltas', () => {
    fc.assert(
      fc.property(steady, (world) => endsNewest(decideMerge, world)),
      { numRuns: 500 },
    );
  });

  it('ends with the rows in MLflow after a sweep, whatever happens to runs and clocks', () => {
    fc.assert(
      fc.property(restless, (world) => endsTrue(decideMerge, world)),
      { numRuns: 500 },
    );
  });

  const plain: typeof decideMerge = (stored, incoming, serverNow) => {
    const decision = newerIf((row, response) => response.date > row.date)(stored, incoming, serverNow);
    return decision === 'supersede' ? 'unchanged' : decision;
  };
  it.each<[string, typeof decideMerge, typeof endsNewest, fc.Arbitrary<World>]>([
    ['the later Date wins', plain, endsNewest, steady],
    [
      'the later Date wins and the run is fetched again',
      newerIf((a, b) => b.date > a.date),
      endsNewest,
      steady,
    ],
    ['a response is assumed to be read at its Date', newerIf((a, b) => b.began > a.date), endsNewest, steady],
    ['Date is assumed not to lag', (a, b, now) => decideMerge(a, b, now, 0), endsNewest, steady],
    ['clocks are assumed to be right', (a, b) => decideMerge(a, b, null), endsTrue, restless],
  ])('ends with a wrong row in some world if %s', (_, rule, isCorrect, arbitrary) => {
    const property = fc.property(arbitrary, (world) => isCorrect(rule, world));
    expect(fc.check(property, { numRuns: 20_000, endOnFailure: true }).failed).toBe(true);
  });

  const fast = { phase: 0, arrive: 0, read: 100, reply: 0, end: 100 };
  it('keeps a response that was read long after its Date', () => {
    // Uvicorn sets Date when the request arrives, in this case a minute before the read.
    const server: Server = {
      refresh: 1000,
      dateOfArrival: true,
      jumps: [],
      changes: [
        { at: 0, content: '0' },
        { at: MINUTE, content: '1' },
      ],
    };
    const slow = { requests: [{ ...fast, begin: 5000, read: MINUTE }], hold: 0 };
    const delayed = { requests: [{ ...fast, begin: 50_000 }], hold: MINUTE };
    expect(endsNewest(decideMerge, [server, [slow, delayed]])).toBe(true);
    const ignoresDuration = newerIf((a, b) => b.began > a.date + DATE_LAG_MS);
    expect(endsNewest(ignoresDuration, [server, [slow, delayed]])).toBe(false);
  });

  it('needs a sweep if a response is delayed while the run changes and changes back', () => {
    const changes = ['a', 'b', 'a'].map((content, i) => ({ at: i * MINUTE, content }));
    const server: Server = { refresh: 1000, dateOfArrival: true, jumps: [], changes };
    const world = new MergeSimulation(server, decideMerge);
    world.run([
      { requests: [{ ...fast, begin: 1000 }], hold: 0 },
      { requests: [{ ...fast, begin: 1.5 * MINUTE }], hold: 2 * MINUTE },
      { requests: [{ ...fast, begin: 2.5 * MINUTE }], hold: 0 },
    ]);
    twoDeltas(world, END);
    expect(world.row?.content).toBe('b');
    world.fetch(END + 30 * MINUTE);
    expect(world.row?.content).toBe('a');
  });
});
