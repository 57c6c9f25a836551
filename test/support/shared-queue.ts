import { openQueueConnection } from '../../src/queue/open-queue.js';
import type { QueueConnection } from '../../src/queue/queue-connection.js';

const unused: QueueConnection[] = [];
let isOver = false;
afterAll(() => {
  isOver = true;
  return Promise.all(unused.splice(0).map((queue) => queue.close()));
});

/** Like `openQueueConnection`, but embedded queues are emptied and reused: creating one takes longer than most tests. */
export async function borrowQueueConnection(
  redisUrl: string | undefined,
  prefix: string,
): Promise<QueueConnection> {
  if (redisUrl !== undefined) return openQueueConnection(redisUrl, prefix);
  const queue = unused.pop() ?? (await openQueueConnection(undefined, prefix));
  let inUse = true;
  return {
    ...queue,
    async close() {
      if (!inUse) return;
      inUse = false;
      // The `afterAll` of a spec runs after the one above.
      if (isOver) return queue.close();
      await queue.flush();
      unused.push(queue);
    },
  };
}
