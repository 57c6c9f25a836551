import { AnswerCache, jsonAnswer } from '../../../src/dashboard/read/answers.js';

const answerOf = (text: string) => ({
  etag: text,
  contentType: 'text/plain',
  body: Buffer.from(text),
  isGzipped: false,
});

/** Counts how often each response is made. */
function counted(cache: AnswerCache) {
  const made: string[] = [];
  const get = (text: string) =>
    cache.get([text], async () => {
      made.push(text);
      return answerOf(text);
    });
  return { made, get };
}

describe('the kept responses', () => {
  it('are made once, also for requests at the same time, and again after a failure', async () => {
    const cache = new AnswerCache();
    const { made, get } = counted(cache);
    await Promise.all([get('a'), get('a')]);
    expect((await get('a')).etag).toBe('a');
    expect(made).toEqual(['a']);
    const failing = () => cache.get(['b'], () => Promise.reject(new Error('unreadable')));
    await expect(failing()).rejects.toThrow('unreadable');
    expect((await get('b')).etag).toBe('b');
  });

  it('leave when they need too much memory, the least recently used ones first', async () => {
    const cache = new AnswerCache(10);
    const { made, get } = counted(cache);
    let finish: () => void = () => undefined;
    const slow = cache.get(['slow'], async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return answerOf('slow');
    });
    for (const text of ['aaaa', 'bbbb', 'aaaa', 'cccc']) await get(text);
    made.length = 0;
    for (const text of ['cccc', 'aaaa', 'bbbb']) await get(text);
    expect(made).toEqual(['bbbb']);
    // One that is still being made stays, and counts from then on.
    finish();
    await slow;
    made.length = 0;
    for (const text of ['slow', 'bbbb', 'aaaa']) await get(text);
    expect(made).toEqual(['aaaa']);
  });

  it('have an ETag of their content', async () => {
    const etagOf = async (text: string) => (await jsonAnswer(Buffer.from(text))).etag;
    expect(await etagOf('{}')).toBe(await etagOf('{}'));
    expect(await etagOf('{}')).not.toBe(await etagOf('[]'));
  });
});
