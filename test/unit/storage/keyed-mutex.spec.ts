import { KeyedMutex } from '../../../src/storage/keyed-mutex.js';

/** Work that logs its start and ends on `end` or `fail`. */
function controlled(log: string[], name: string) {
  let end = () => {};
  let fail = () => {};
  const ended = new Promise<string>((resolve, reject) => {
    end = () => resolve(name);
    fail = () => reject(new Error(name));
  });
  const work = () => {
    log.push(name);
    return ended;
  };
  return { work, end, fail };
}

describe('work of one key', () => {
  it('runs sequentially, in call order', async () => {
    const [mutex, log] = [new KeyedMutex(), [] as string[]];
    const jobs = ['a', 'b', 'c'].map((name) => controlled(log, name));
    const results = jobs.map(({ work }) => mutex.run('key', work));
    await Promise.resolve();
    expect(log).toEqual(['a']);
    jobs[1]?.end();
    jobs[0]?.end();
    expect(await results[0]).toBe('a');
    expect(await results[1]).toBe('b');
    jobs[2]?.end();
    expect(await results[2]).toBe('c');
    expect(log).toEqual(['a', 'b', 'c']);
  });

  it('does not wait for the work of another key', async () => {
    const [mutex, log] = [new KeyedMutex(), [] as string[]];
    const first = controlled(log, 'a');
    const waiting = mutex.run('key', first.work);
    expect(await mutex.run('other', async () => 'b')).toBe('b');
    first.end();
    await waiting;
  });

  it('that fails rejects its own call and no other', async () => {
    const [mutex, log] = [new KeyedMutex(), [] as string[]];
    const first = controlled(log, 'a');
    const failed = mutex.run('key', first.work);
    const next = mutex.run('key', async () => 'b');
    first.fail();
    await expect(failed).rejects.toThrow('a');
    expect(await next).toBe('b');
    expect(await mutex.run('key', async () => 'c')).toBe('c');
  });

  it('may throw synchronously', async () => {
    const mutex = new KeyedMutex();
    const thrown = mutex.run('key', () => {
      throw new Error('at once');
    });
    await expect(thrown).rejects.toThrow('at once');
    expect(await mutex.run('key', async () => 'b')).toBe('b');
  });
});
