import { jest } from '@jest/globals';
import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import type { QueueName } from '../../src/queue/queue-names.js';
import type { ObjectStore } from '../../src/storage/object-store.js';
import type { OpenService } from './open-service.js';

/** A store that holds the next put of a dataset until it is released. */
export class HeldStore {
  /** Keys in the order of their puts. */
  readonly puts: string[] = [];
  private held: { readonly prefix: string; readonly begun: () => void } | undefined;
  private release: () => void = () => undefined;

  readonly wrap = (store: ObjectStore): ObjectStore => {
    const put = store.put.bind(store);
    store.put = async (key, body, condition) => {
      if (this.held && key.startsWith(this.held.prefix)) {
        const { begun } = this.held;
        this.held = undefined;
        const released = new Promise<void>((resolve) => {
          this.release = resolve;
        });
        begun();
        await released;
      }
      const etag = await put(key, body, condition);
      this.puts.push(key);
      return etag;
    };
    return store;
  };

  /** @returns when the put has begun, and how to let it go on */
  async holdNext(prefix: string, start: () => Promise<unknown>): Promise<() => void> {
    const begun = new Promise<void>((resolve) => {
      this.held = { prefix, begun: resolve };
    });
    await start();
    await begun;
    return () => this.release();
  }
}

/** Resolves when a job of the pipeline run is in the queue. */
export function enqueued({ app }: OpenService, name: QueueName, pipelineRun: string): Promise<void> {
  const queue = app.get<Queue>(getQueueToken(name));
  const add = queue.add.bind(queue);
  return new Promise((resolve) => {
    jest.spyOn(queue, 'add').mockImplementation(async (stage, data, options) => {
      const job = await add(stage, data, options);
      if (data.run === pipelineRun) resolve();
      return job;
    });
  });
}
