import { z } from 'zod';
import { updateDocument } from '../../../src/storage/json-document.js';
import { publishDerived } from '../../../src/storage/publish.js';
import { MemoryStore } from '../../support/memory-store.js';
import { eventsDuring } from '../../support/recorded-events.js';

/** A store in which another writer wins so many races. */
function contended(times: number): MemoryStore {
  const store = new MemoryStore();
  let left = times;
  store.beforePut = (key) => {
    if (left-- > 0) store.objects.set(key, Buffer.from(JSON.stringify(left)));
  };
  return store;
}

describe('each lost race publishes one event', () => {
  it('for a published object', async () => {
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
    const events = await eventsDuring(() =>
      publishDerived(store, { tempFile: (name) => name }, ['runs/2026/03/10/part-0.parquet'], publication),
    );
    expect(events).toEqual(Array(2).fill({ type: 'store_conflict', object: 'dataset' }));
  });

  it('for a document', async () => {
    const store = contended(3);
    const pause = { pause: async () => undefined };
    const events = await eventsDuring(() => updateDocument(store, 'a.json', z.int(), () => 100, pause));
    expect(events).toEqual(Array(3).fill({ type: 'store_conflict', object: 'state' }));
  });

  it('and a write without a race publishes none', async () => {
    expect(await eventsDuring(() => updateDocument(new MemoryStore(), 'a.json', z.int(), () => 1))).toEqual(
      [],
    );
  });
});
