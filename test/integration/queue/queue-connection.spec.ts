import { inspect } from 'node:util';
import { openQueueConnection } from '../../../src/queue/open-queue.js';
import { describeRedis, freePort } from '../../support/redis-server.js';

const SECRET = 'g3heim';

describe('an unreachable queue', () => {
  it('is named in the error, without its password', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const opening = openQueueConnection(`redis://user:${SECRET}@${address}`);
    const error = await opening.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'queue_unreachable', retryable: true });
    expect(inspect(error, { depth: 9 })).toContain(`redis://${address}`);
    expect(inspect(error, { depth: 9 })).toContain('ECONNREFUSED');
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET);
  });
});

describeRedis('a queue on Redis', (server) => {
  it('reports a wrong password, without the password', async () => {
    const opening = openQueueConnection(server().url.replace('//', `//nobody:${SECRET}@`));
    const error = await opening.catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'queue_unreachable' });
    expect(inspect(error, { depth: 9 })).toContain('WRONGPASS');
    expect(inspect(error, { depth: 9 })).not.toContain(SECRET);
  });
});
