import { CachedProbe } from '../../../src/health/cached-probe.js';

const FOREVER = 3_600_000;
const clock = () => 1_000;

/** A probe whose attempts the test resolves. */
function controlledProbe() {
  const attempts: { succeed: (value: string) => void; fail: (error: Error) => void }[] = [];
  const probe = () => new Promise<string>((succeed, fail) => attempts.push({ succeed, fail }));
  return { attempts, probe };
}

describe('CachedProbe', () => {
  it('shares one attempt among concurrent callers', async () => {
    const { attempts, probe } = controlledProbe();
    const cached = new CachedProbe(probe, { freshMs: 0, timeoutMs: FOREVER, clock });
    const results = [cached.get(), cached.get()];
    attempts[0]?.succeed('ok');
    expect(await Promise.all(results)).toEqual([{ value: 'ok' }, { value: 'ok' }]);
    expect(attempts).toHaveLength(1);
    expect(cached.lastSuccess).toBe(1_000);
  });

  it('caches a value as long as it is fresh', async () => {
    let attempts = 0;
    const probe = async () => ++attempts;
    const [fresh, stale] = [FOREVER, 0].map(
      (freshMs) => new CachedProbe(probe, { freshMs, timeoutMs: FOREVER, clock }),
    );
    await fresh?.get();
    await fresh?.get();
    expect(attempts).toBe(1);
    await stale?.get();
    await stale?.get();
    expect(attempts).toBe(3);
  });

  it('returns the error of a failed attempt and does not cache it', async () => {
    const { attempts, probe } = controlledProbe();
    const cached = new CachedProbe(probe, { freshMs: FOREVER, timeoutMs: FOREVER, clock });
    const first = cached.get();
    attempts[0]?.fail(new Error('unreachable'));
    expect(await first).toEqual({ error: 'unreachable' });
    expect(cached.lastSuccess).toBeNull();
    const second = cached.get();
    attempts[1]?.succeed('ok');
    expect(await second).toEqual({ value: 'ok' });
  });

  it('times out, and starts at most 3 concurrent attempts', async () => {
    const { attempts, probe } = controlledProbe();
    const cached = new CachedProbe(probe, { freshMs: FOREVER, timeoutMs: 1, clock });
    for (let i = 0; i < 10; i++) expect(await cached.get()).toEqual({ error: 'no response within 0.001 s' });
    expect(attempts).toHaveLength(3);
  });

  it('recovers even if an earlier attempt never ends', async () => {
    const { attempts, probe } = controlledProbe();
    const cached = new CachedProbe(probe, { freshMs: FOREVER, timeoutMs: 20, clock });
    await cached.get();
    const second = cached.get();
    attempts[1]?.succeed('ok');
    expect(await second).toEqual({ value: 'ok' });
    expect(attempts).toHaveLength(2);
  });
});
