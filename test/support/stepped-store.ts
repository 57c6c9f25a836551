import type { ObjectBody, PutCondition } from '../../src/storage/object-store.js';
import { MemoryStore } from './memory-store.js';

/** An actor's access to a shared store: each operation is a step. */
export class SteppedStore extends MemoryStore {
  constructor(
    shared: MemoryStore,
    private readonly step: () => Promise<void>,
  ) {
    super(shared.objects, shared.files);
  }

  /** `fetch` calls it too. */
  override async get(key: string) {
    await this.step();
    return super.get(key);
  }

  override async head(key: string) {
    await this.step();
    return super.head(key);
  }

  override async put(key: string, body: ObjectBody, condition?: PutCondition) {
    await this.step();
    return super.put(key, body, condition);
  }
}
