import { z } from 'zod';
import { StoreError } from '../../../src/storage/errors.js';
import { createDocument, readDocument, updateDocument } from '../../../src/storage/json-document.js';
import { MemoryStore } from '../../support/memory-store.js';

const schema = z.object({ counts: z.record(z.string(), z.int()) });
const KEY = '_state/counts.json';
const noPause = { pause: async () => undefined };

describe('a document', () => {
  it('is read with its ETag', async () => {
    const store = new MemoryStore();
    expect(await readDocument(store, KEY, schema)).toBeUndefined();
    const etag = await store.put(KEY, Buffer.from('{"counts":{"a":1}}'));
    expect(await readDocument(store, KEY, schema)).toEqual({ value: { counts: { a: 1 } }, etag });
  });

  it.each([
    ['not JSON', '{"counts":'],
    ['of another shape', '{"counts":{"a":"many"}}'],
  ])('that is %s throws an error that names it and is not retryable', async (_, text) => {
    const store = new MemoryStore();
    await store.put(KEY, Buffer.from(text));
    const error = await readDocument(store, KEY, schema).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ code: 'broken_document', retryable: false });
    expect(error).toHaveProperty('message', expect.stringContaining(KEY));
  });

  it('is created once', async () => {
    const store = new MemoryStore();
    expect(await createDocument(store, KEY, schema, { counts: { a: 1 } })).toBe(true);
    expect(await createDocument(store, KEY, schema, { counts: { a: 2 } })).toBe(false);
    expect((await readDocument(store, KEY, schema))?.value).toEqual({ counts: { a: 1 } });
  });

  it('that does not match its schema is not written', async () => {
    const store = new MemoryStore();
    const invalid = { counts: { a: Number.NaN } };
    await expect(createDocument(store, KEY, schema, invalid)).rejects.toMatchObject({
      code: 'broken_document',
    });
    await expect(updateDocument(store, KEY, schema, () => invalid)).rejects.toMatchObject({
      code: 'broken_document',
    });
    expect(store.objects.size).toBe(0);
  });
});

describe('an update', () => {
  const increment = (name: string) => (current: z.infer<typeof schema> | undefined) => ({
    counts: { ...current?.counts, [name]: (current?.counts[name] ?? 0) + 1 },
  });

  it('creates the document, then changes it', async () => {
    const store = new MemoryStore();
    await updateDocument(store, KEY, schema, increment('a'));
    expect(await updateDocument(store, KEY, schema, increment('b'))).toEqual({ counts: { a: 1, b: 1 } });
    expect((await readDocument(store, KEY, schema))?.value).toEqual({ counts: { a: 1, b: 1 } });
  });

  it('to an equal value or to undefined writes nothing', async () => {
    const store = new MemoryStore();
    await store.put(KEY, Buffer.from('{ "counts": { "b": 1, "a": 1 } }'));
    store.puts = 0;
    await updateDocument(store, KEY, schema, () => ({ counts: { a: 1, b: 1 } }));
    expect(await updateDocument(store, KEY, schema, () => undefined)).toEqual({ counts: { a: 1, b: 1 } });
    expect(await updateDocument(store, '_state/none.json', schema, () => undefined)).toBeUndefined();
    expect(store.puts).toBe(0);
  });

  it('that modifies the value in place is written', async () => {
    const store = new MemoryStore();
    await store.put(KEY, Buffer.from('{"counts":{"a":1}}'));
    await updateDocument(store, KEY, schema, (current) => {
      if (current) current.counts.a = 2;
      return current;
    });
    expect((await readDocument(store, KEY, schema))?.value).toEqual({ counts: { a: 2 } });
  });

  it('is not lost among 32 concurrent ones', async () => {
    const store = new MemoryStore();
    await Promise.all(
      Array.from({ length: 32 }, () =>
        updateDocument(store, KEY, schema, increment('a'), { rounds: 32, ...noPause }),
      ),
    );
    expect((await readDocument(store, KEY, schema))?.value).toEqual({ counts: { a: 32 } });
  });

  it('fails after its rounds with a retryable error', async () => {
    const store = new MemoryStore();
    let others = 0;
    const pauses: number[] = [];
    store.beforePut = () => store.objects.set(KEY, Buffer.from(`{"counts":{"other":${others++}}}`));
    const update = updateDocument(store, KEY, schema, increment('a'), {
      rounds: 3,
      pause: async (round) => void pauses.push(round),
    });
    await expect(update).rejects.toMatchObject({ code: 'document_contended', retryable: true });
    expect(pauses).toEqual([0, 1]);
  });

  it('passes on the errors of the store', async () => {
    const store = new MemoryStore();
    store.beforePut = () => {
      throw new StoreError('store_io', 'no space left', {}, true);
    };
    await expect(updateDocument(store, KEY, schema, increment('a'))).rejects.toMatchObject({
      code: 'store_io',
    });
  });
});
