import { CachedProbe } from '../../../src/health/cached-probe.js';

const NEVER = 3_600_000;
const clock = () => 1_000;

/** A question that is answered when the test says so. */
function questions() {
  const open: { answer: (value: string) => void; fail: (error: Error) => void }[] = [];
  const ask = () => new Promise<string>((answer, fail) => open.push({ answer, fail }));
  return { open, ask };
}

describe('a look', () => {
  it('is one question for all who look at the same time', async () => {
    const { open, ask } = questions();
    const look = new CachedProbe(ask, { freshMs: 0, limitMs: NEVER, clock });
    const seen = [look.get(), look.get()];
    open[0]?.answer('well');
    expect(await Promise.all(seen)).toEqual([{ value: 'well' }, { value: 'well' }]);
    expect(open).toHaveLength(1);
    expect(look.lastSuccess).toBe(1_000);
  });

  it('serves as long as it is fresh, and no longer', async () => {
    let asked = 0;
    const count = async () => ++asked;
    const [fresh, stale] = [NEVER, 0].map(
      (freshMs) => new CachedProbe(count, { freshMs, limitMs: NEVER, clock }),
    );
    await fresh?.get();
    await fresh?.get();
    expect(asked).toBe(1);
    await stale?.get();
    await stale?.get();
    expect(asked).toBe(3);
  });

  it('says why it found nothing, and asks again', async () => {
    const { open, ask } = questions();
    const look = new CachedProbe(ask, { freshMs: NEVER, limitMs: NEVER, clock });
    const first = look.get();
    open[0]?.fail(new Error('away'));
    expect(await first).toEqual({ error: 'away' });
    expect(look.lastSuccess).toBeNull();
    const second = look.get();
    open[1]?.answer('well');
    expect(await second).toEqual({ value: 'well' });
  });

  it('waits no longer than its limit, and piles no questions up', async () => {
    const { open, ask } = questions();
    const look = new CachedProbe(ask, { freshMs: NEVER, limitMs: 1, clock });
    for (let i = 0; i < 10; i++) expect(await look.get()).toEqual({ error: 'no answer within 0.001 s' });
    expect(open).toHaveLength(3);
  });

  it('finds what answers again, though an older question never comes back', async () => {
    const { open, ask } = questions();
    const look = new CachedProbe(ask, { freshMs: NEVER, limitMs: 20, clock });
    await look.get();
    const second = look.get();
    open[1]?.answer('well');
    expect(await second).toEqual({ value: 'well' });
    expect(open).toHaveLength(2);
  });
});
