import fc from 'fast-check';
import {
  DATE_LAG_MS,
  decideMerge,
  latestReadTime,
  type ObservedRun,
} from '../../../src/domain/merge-precedence.js';
import { contentAt, MergeSimulation, type Server, type SliceOfAsks } from '../../support/merge-simulation.js';

const MINUTE = 60_000;
const NOON = Date.parse('2026-03-10T12:00:00Z');

describe('the base rule', () => {
  const stored: ObservedRun = { content: 'a', date: NOON, began: NOON - 700 };
  const last = NOON + 700 + DATE_LAG_MS;
  const incoming = (content: string | null, began: number): ObservedRun => ({
    content,
    began,
    date: began + 1000,
  });

  it('takes a stored answer as read within its duration and the lag of the header after its Date', () => {
    expect(latestReadTime(stored)).toBe(last);
  });

  it.each([
    ['a run that is not stored', undefined, incoming('a', NOON), null, 'insert'],
    ['no run where none is stored', undefined, incoming(null, NOON), null, undefined],
    ['equal content, however old', stored, incoming('a', 0), null, 'unchanged'],
    ['a run that is gone already', { ...stored, content: null }, incoming(null, last + 1), null, 'unchanged'],
    ['an answer asked for after the stored one was read', stored, incoming('b', last + 1), null, 'replace'],
    ['an answer that may be older', stored, incoming('b', last), null, 'supersede'],
    ['that a run is gone', stored, incoming(null, last + 1), null, 'replace'],
    ['that a run may be gone', stored, incoming(null, last), null, 'supersede'],
    ['that a run is there again', { ...stored, content: null }, incoming('a', last + 1), null, 'replace'],
    ['a stored time just ahead', stored, incoming('b', 0), NOON - DATE_LAG_MS, 'supersede'],
    ['a stored time of a wrong clock', stored, incoming('b', 0), NOON - DATE_LAG_MS - 1, 'overrule'],
    ['a wrong clock, and equal content', stored, incoming('a', 0), 0, 'unchanged'],
  ] as const)('decides %s', (_, row, answer, serverNow, decision) => {
    expect(decideMerge(row, answer, serverNow)).toBe(decision);
  });
});

type World = [Server, SliceOfAsks[]];

const upTo = (...most: number[]) => fc.oneof(...most.map((max) => fc.integer({ min: 0, max })));

/** Quick and slow requests, and workers that were held up before they merged. */
function slicesWithin(scale: number): fc.Arbitrary<SliceOfAsks[]> {
  const lasts = upTo(scale / 30, scale);
  const phase = upTo(DATE_LAG_MS - 1000);
  const ask = fc.record({
    phase,
    begin: upTo(scale),
    arrive: upTo(200),
    read: lasts,
    reply: upTo(200),
    end: lasts,
  });
  const asks = fc.oneof(
    ask.map((one) => [one]),
    fc.array(ask, { minLength: 2, maxLength: 2 }),
  );
  const slice = fc.record({ asks, hold: upTo(0, scale, 2 * MINUTE) });
  return fc.array(slice, { minLength: 2, maxLength: 5 });
}

function worlds(
  changesWithin: (span: number) => fc.Arbitrary<Server['changes']>,
  jumpsWithin: (span: number) => fc.Arbitrary<Server['jumps']>,
): fc.Arbitrary<World> {
  // The header is never older than the rule allows for.
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

/** A run that changes and never changes back; nobody sets a clock. */
const steady = worlds(
  (span) =>
    fc
      .array(upTo(span), { minLength: 1, maxLength: 4 })
      .map((times) => [0, ...times.sort((a, b) => a - b)].map((at, i) => ({ at, content: String(i) }))),
  () => fc.constant([]),
);
/** A run that also changes back, leaves and comes again, on a server whose clock is set. */
const restless = worlds(
  (span) =>
    fc
      .array(fc.record({ at: upTo(span), content: fc.constantFrom('a', 'b', 'c', null) }), { maxLength: 6 })
      .map((changes) => [{ at: 0, content: 'a' }, ...changes]),
  (span) => {
    const by = fc.oneof(...[5000, 60 * MINUTE].map((most) => fc.integer({ min: -most, max: most })));
    return fc.array(fc.record({ at: upTo(span), by }), { maxLength: 2 });
  },
);

/** After all that happens in a world. */
const END = 20 * MINUTE;

/** Two deltas: they ask for the runs on the open list. */
function twoDeltas(world: MergeSimulation, begin: number): void {
  for (const at of [begin, begin + 5 * MINUTE]) if (world.entry !== undefined) world.ask(at);
}

/** Whether the base ends with what the newest of the merged answers said, or with something newer. */
function endsNewest(rule: typeof decideMerge, [server, slices]: World): boolean {
  const world = new MergeSimulation(server, rule);
  world.live(slices);
  twoDeltas(world, END);
  return world.entry === undefined && Number(world.row?.content) >= Number(world.newest?.content);
}

/** Whether the base ends with what MLflow has, after a sweep, which asks for every run. */
function endsTrue(rule: typeof decideMerge, [server, slices]: World): boolean {
  const world = new MergeSimulation(server, rule);
  world.live(slices);
  twoDeltas(world, END);
  world.ask(END + 30 * MINUTE);
  twoDeltas(world, END + 31 * MINUTE);
  return world.entry === undefined && (world.row?.content ?? null) === contentAt(server, END);
}

/** The rule with another test of whether an answer is newer than the stored one. */
const newerIf =
  (isNewer: (stored: ObservedRun, incoming: ObservedRun) => boolean): typeof decideMerge =>
  (stored, incoming, serverNow) => {
    const decision = decideMerge(stored, incoming, serverNow);
    if (!stored || (decision !== 'replace' && decision !== 'supersede')) return decision;
    return isNewer(stored, incoming) ? 'replace' : 'supersede';
  };

describe('a model of MLflow, its readers and the base', () => {
  it('keeps no row that is older than an answer, after two deltas', () => {
    fc.assert(
      fc.property(steady, (world) => endsNewest(decideMerge, world)),
      { numRuns: 500 },
    );
  });

  it('keeps no row that is not what MLflow has, after a sweep, whatever a run does and however clocks are set', () => {
    fc.assert(
      fc.property(restless, (world) => endsTrue(decideMerge, world)),
      { numRuns: 500 },
    );
  });

  const plain: typeof decideMerge = (stored, incoming, serverNow) => {
    const decision = newerIf((row, answer) => answer.date > row.date)(stored, incoming, serverNow);
    return decision === 'supersede' ? 'unchanged' : decision;
  };
  it.each<[string, typeof decideMerge, typeof endsNewest, fc.Arbitrary<World>]>([
    ['the later Date wins', plain, endsNewest, steady],
    [
      'the later Date wins and the run is asked again',
      newerIf((a, b) => b.date > a.date),
      endsNewest,
      steady,
    ],
    ['an answer is read at its Date', newerIf((a, b) => b.began > a.date), endsNewest, steady],
    ['Date does not lag', (a, b, now) => decideMerge(a, b, now, 0), endsNewest, steady],
    ['clocks are never wrong', (a, b) => decideMerge(a, b, null), endsTrue, restless],
  ])('keeps a wrong row in some world if %s', (_, rule, endsRight, arbitrary) => {
    const property = fc.property(arbitrary, (world) => endsRight(rule, world));
    expect(fc.check(property, { numRuns: 20_000, endOnFailure: true }).failed).toBe(true);
  });

  const quick = { phase: 0, arrive: 0, read: 100, reply: 0, end: 100 };
  it('keeps the answer of a request that was read long after its Date', () => {
    // uvicorn dates an answer when its request comes: this one a minute before it reads.
    const server: Server = {
      refresh: 1000,
      dateOfArrival: true,
      jumps: [],
      changes: [
        { at: 0, content: '0' },
        { at: MINUTE, content: '1' },
      ],
    };
    const slow = { asks: [{ ...quick, begin: 5000, read: MINUTE }], hold: 0 };
    const heldUp = { asks: [{ ...quick, begin: 50_000 }], hold: MINUTE };
    expect(endsNewest(decideMerge, [server, [slow, heldUp]])).toBe(true);
    const noDuration = newerIf((a, b) => b.began > a.date + DATE_LAG_MS);
    expect(endsNewest(noDuration, [server, [slow, heldUp]])).toBe(false);
  });

  it('needs a sweep after an answer that was held up over a change and its reversal', () => {
    const changes = ['a', 'b', 'a'].map((content, i) => ({ at: i * MINUTE, content }));
    const server: Server = { refresh: 1000, dateOfArrival: true, jumps: [], changes };
    const world = new MergeSimulation(server, decideMerge);
    world.live([
      { asks: [{ ...quick, begin: 1000 }], hold: 0 },
      { asks: [{ ...quick, begin: 1.5 * MINUTE }], hold: 2 * MINUTE },
      { asks: [{ ...quick, begin: 2.5 * MINUTE }], hold: 0 },
    ]);
    twoDeltas(world, END);
    expect(world.row?.content).toBe('b');
    world.ask(END + 30 * MINUTE);
    expect(world.row?.content).toBe('a');
  });
});
