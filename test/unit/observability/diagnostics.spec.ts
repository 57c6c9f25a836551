import { z } from 'zod';
import { updateDocument } from '../../../src/storage/json-document.js';
import { publishDerived } from '../../../src/storage/publish.js';
import { MemoryStore } from '../../support/memory-store.js';
import { eventsDuring } from '../../support/recorded-events.js';

/** A store in which another writer is faster, so many times. */
function contended(times: number): MemoryStore {
  const store = new MemoryStore();
  let left = times;
  store.beforePut = (key) => {
    if (left-- > 0) store.objects.set(key, Buffer.from(JSON.stringify(left)));
  };
  return store;
}

describe('every race that is lost is told once', () => {
  it('of a published object', async () => {
    const store = contended(2);
    const publication = {
      recorded: async () => 'others',
      prepare: async () => ({
        inputs: 'own',
        write: async (_: string, file: string) => {
          store.files.set(file, Buffer.from('own'));
        },
      }),
    };
    const heard = await eventsDuring(() =>
      publishDerived(store, { tempFile: (name) => name }, ['runs/2026/03/10/part-0.parquet'], publication),
    );
    expect(heard).toEqual(Array(2).fill({ type: 'store_conflict', object: 'dataset' }));
  });

  it('of a document', async () => {
    const store = contended(3);
    const pause = { pause: async () => undefined };
    const heard = await eventsDuring(() => updateDocument(store, 'a.json', z.int(), () => 100, pause));
    expect(heard).toEqual(Array(3).fill({ type: 'store_conflict', object: 'state' }));
  });

  it('and of a write without a race nothing', async () => {
    expect(await eventsDuring(() => updateDocument(new MemoryStore(), 'a.json', z.int(), () => 1))).toEqual(
      [],
    );
  });
});
