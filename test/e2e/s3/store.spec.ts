import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Store, type S3StoreOptions } from '../../../src/storage/s3-store.js';
import { SingleWriterStore } from '../../../src/storage/single-writer.js';
import { describeObjectStore } from '../../integration/storage/conformance.js';
import { describeS3 } from '../../support/s3-server.js';

/** A store that ignores every condition. */
function withoutConditions(store: S3Store): S3Store {
  const put = store.put.bind(store);
  store.put = (key, body) => put(key, body);
  return store;
}

describeS3('an S3 server', (server) => {
  const folders: string[] = [];
  let buckets = 0;
  async function open(options: Partial<S3StoreOptions> = {}): Promise<S3Store> {
    const dir = await mkdtemp(join(tmpdir(), 's3-store-'));
    folders.push(dir);
    return S3Store.open({
      bucket: await server().bucket(`bucket-${++buckets}`),
      endpoint: server().endpoint,
      pathStyle: true,
      checksumMode: 'WHEN_SUPPORTED',
      maxRetries: 5,
      timeoutMs: 10_000,
      dir,
      ...options,
    });
  }
  afterAll(async () => {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  });

  describeObjectStore('an S3 bucket', () => open());
  describeObjectStore('an S3 bucket with a prefix, multipart uploads and no checksums', () =>
    open({
      prefix: 'team/monitor/',
      multipartFrom: 1024,
      partBytes: 5 * 2 ** 20,
      checksumMode: 'WHEN_REQUIRED',
    }),
  );
  describeObjectStore('an S3 bucket without conditional writes, for one writer', async () =>
    SingleWriterStore.open(withoutConditions(await open()), { pause: async () => undefined }),
  );

  it('keeps two prefixes of one bucket apart, even if one begins with the other', async () => {
    const bucket = await server().bucket('shared');
    const [team, teammate] = [
      await open({ bucket, prefix: 'team' }),
      await open({ bucket, prefix: 'teammate' }),
    ];
    await team.put('a', Buffer.from('team'));
    await teammate.put('a', Buffer.from('teammate'));
    const keys: string[] = [];
    for await (const { key } of team.list('')) keys.push(key);
    expect(keys).toEqual(['a']);
    await team.delete('a');
    expect((await teammate.get('a'))?.body.toString()).toBe('teammate');
    await Promise.all([team.close(), teammate.close()]);
    await expect(open({ bucket, prefix: '../other' })).rejects.toMatchObject({ code: 'invalid_key' });
  });
});
