import { openQueueConnection } from '../../src/queue/open-queue.js';
import type { QueueConnection } from '../../src/queue/queue-connection.js';

const unused: QueueConnection[] = [];
afterAll(() => Promise.all(unused.splice(0).map((queue) => queue.close())));

/** As `openQueueConnection`; an embedded queue is emptied and lent again, since to make one costs more than most tests. */
export async function borrowQueueConnection(redisUrl: string | undefined): Promise<QueueConnection> {
  if (redisUrl !== undefined) return openQueueConnection(redisUrl);
  const queue = unused.pop() ?? (await openQueueConnection(undefined));
  let lent = true;
  return {
    ...queue,
    async close() {
      if (!lent) return;
      lent = false;
      await queue.flush();
      unused.push(queue);
    },
  };
}
