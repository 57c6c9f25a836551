import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
} from '@aws-sdk/client-s3';
import { publish } from '../observability/diagnostics.js';
import { PreconditionFailedError, StoreError } from './errors.js';
import { FileCache, type FileCacheOptions } from './file-cache.js';
import { linkOrCopy, withStoreErrors } from './folder-files.js';
import { KeyedMutex } from './keyed-mutex.js';
import { assertKey, assertPrefix, isKey } from './object-key.js';
import type { ObjectBody, ObjectEntry, ObjectStore, PutCondition, StoredObject } from './object-store.js';
import { outcomeOf } from './s3-errors.js';
import { type S3RequestOptions, S3Requests } from './s3-requests.js';
import { etagOf, type Target, Upload, type UploadOptions, WRITE_ID } from './s3-upload.js';

export interface S3StoreOptions
  extends Omit<S3RequestOptions, 'description'>,
    Pick<UploadOptions, 'sse' | 'kmsKeyId'>,
    Partial<Pick<UploadOptions, 'multipartFrom' | 'partBytes'>> {
  readonly bucket: string;
  /** `S3_PREFIX`: precedes every key, with a slash. */
  readonly prefix?: string | undefined;
  /** `STORAGE_DIR`, for temporary files and local copies. Every process needs its own. */
  readonly dir: string;
  readonly cache?: FileCacheOptions | undefined;
}

/** Smaller objects are put in one request: some stores support conditions there but ignore those of a multipart upload. */
const MULTIPART_FROM = 256 * 2 ** 20;
const PART_BYTES = 64 * 2 ** 20;
const FETCH_ROUNDS = 20;

interface HeadResult extends ObjectEntry {
  readonly writeId: string | undefined;
}

/**
 * Objects of an S3 bucket. The store decides which of several concurrent puts wins, so it must support `If-Match` and
 * `If-None-Match`: see `probeConditionalWrites`.
 */
export class S3Store implements ObjectStore {
  private readonly mutex = new KeyedMutex();

  private constructor(
    readonly description: string,
    private readonly endpoint: string,
    private readonly bucket: string,
    /** Empty, or with a trailing slash. */
    private readonly root: string,
    private readonly requests: S3Requests,
    private readonly uploads: UploadOptions,
    private readonly cache: FileCache,
  ) {}

  static async open(options: S3StoreOptions): Promise<S3Store> {
    const { bucket, prefix = '', dir, checksumMode, sse, kmsKeyId, cache } = options;
    const below = prefix.replace(/^\/+|\/+$/g, '');
    if (below) assertKey(below);
    const home = resolve(dir);
    const temp = join(home, '.tmp');
    const copies = await withStoreErrors('open', dir, async () => {
      await rm(temp, { recursive: true, force: true });
      await mkdir(temp, { recursive: true });
      return FileCache.open(join(home, '.cache'), cache);
    });
    const description = `s3://${bucket}${below && `/${below}`}`;
    const uploads = {
      multipartFrom: options.multipartFrom ?? MULTIPART_FROM,
      partBytes: options.partBytes ?? PART_BYTES,
      checksums: checksumMode === 'WHEN_SUPPORTED',
      sse,
      kmsKeyId,
    };
    const requests = new S3Requests({ ...options, description });
    return new S3Store(
      description,
      options.endpoint ?? '',
      bucket,
      below && `${below}/`,
      requests,
      uploads,
      copies,
    );
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const target = this.targetOf(key);
    return this.requests.withRetries('get', key, () =>
      this.requests
        .once(0, async ({ client, abortSignal, allow }) => {
          const { Body, ETag, ContentLength } = await client.send(new GetObjectCommand(target), {
            abortSignal,
          });
          allow(ContentLength ?? 0);
          const etag = etagOf(ETag);
          return { body: Buffer.from((await Body?.transformToByteArray()) ?? []), etag };
        })
        .catch(undefinedIfNotFound),
    );
  }

  async head(key: string): Promise<ObjectEntry | undefined> {
    const target = this.targetOf(key);
    const found = await this.requests.withRetries('stat', key, () => this.headOnce(key, target));
    return found && { key, etag: found.etag, size: found.size };
  }

  async fetch(
    key: string,
    listed?: ObjectEntry,
  ): Promise<{ readonly file: string; readonly etag: string } | undefined> {
    const target = this.targetOf(key);
    // Concurrent calls for an object share one download.
    return this.mutex.run(key, async () => {
      for (let round = 0; round < FETCH_ROUNDS; round++) {
        const entry = round === 0 && listed ? listed : await this.head(key);
        if (!entry) return undefined;
        try {
          const file = await withStoreErrors('fetch', key, () =>
            this.cache.file(this.versionOf(entry), (copy) => this.download(entry, target, copy)),
          );
          return { file, etag: entry.etag };
        } catch (error) {
          // The object was replaced in the meantime.
          if (!(error instanceof PreconditionFailedError)) throw error;
        }
      }
      const message = `${key} was replaced during each of ${FETCH_ROUNDS} downloads`;
      throw new StoreError('fetch_contended', message, { key }, true);
    });
  }

  async put(key: string, body: ObjectBody, condition?: PutCondition): Promise<string> {
    const target = this.targetOf(key);
    const upload = await Upload.prepare(this.requests, key, body, this.uploads);
    const etag = await this.send(upload, key, target, condition);
    if (!Buffer.isBuffer(body)) await this.keepCopy({ key, etag }, body.file, upload.digest);
    return etag;
  }

  private async send(
    upload: Upload,
    key: string,
    target: Target,
    condition: PutCondition | undefined,
  ): Promise<string> {
    // Identifies this put, also among others with the same bytes.
    const writeId = randomUUID();
    return this.requests.withRetries('put', key, async () => {
      try {
        return await upload.send(target, writeId, condition);
      } catch (error) {
        const outcome = outcomeOf(error);
        if (outcome === 'rejected') throw error;
        if (outcome === 'ambiguous') publish({ type: 'store_unclear' });
        // A failed condition is checked too: an earlier attempt, by this client or a proxy, may have been executed
        // although its response was lost.
        const stored = await this.headOnce(key, target);
        if (stored?.writeId === writeId) return stored.etag;
        if (condition && stored?.etag !== ('ifMatch' in condition ? condition.ifMatch : undefined)) {
          throw new PreconditionFailedError(key);
        }
        if (outcome === 'ambiguous') throw error;
        throw new Error('the condition failed, but holds now');
      }
    });
  }

  async *list(prefix: string): AsyncIterable<ObjectEntry> {
    assertPrefix(prefix);
    let token: string | undefined;
    do {
      const query = { Bucket: this.bucket, Prefix: this.root + prefix, ContinuationToken: token };
      const page = await this.requests.withRetries('list', prefix, () =>
        this.requests.once(0, async ({ client, abortSignal }) => {
          const response = await client.send(new ListObjectsV2Command(query), { abortSignal });
          // The page of a proxy would be parsed as an empty list.
          if (response.Name === undefined) throw new Error('the response is not a list of objects');
          return response;
        }),
      );
      for (const { Key, ETag, Size } of page.Contents ?? []) {
        const key = Key?.slice(this.root.length);
        if (key && isKey(key) && ETag) yield { key, etag: ETag, size: Size ?? 0 };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token);
  }

  async delete(key: string): Promise<void> {
    const target = this.targetOf(key);
    await this.requests.withRetries('delete', key, () =>
      this.requests
        .once(0, ({ client, abortSignal }) => client.send(new DeleteObjectCommand(target), { abortSignal }))
        .catch(undefinedIfNotFound),
    );
  }

  async close(): Promise<void> {
    this.requests.close();
    await this.cache.close();
  }

  /** Names the local copy of an object. The folder of the copies may have served another bucket. */
  private versionOf({ key, etag }: Pick<ObjectEntry, 'key' | 'etag'>): string {
    const text = [this.endpoint, this.bucket, this.root, key, etag].join('\n');
    return createHash('sha256').update(text).digest('hex') + extname(key);
  }

  /** The uploaded file becomes the local copy: it is often read soon. The put is done, so an error costs only a download. */
  private async keepCopy(
    entry: Pick<ObjectEntry, 'key' | 'etag'>,
    file: string,
    digest: string | undefined,
  ): Promise<void> {
    const link = (copy: string) => linkOrCopy(file, copy);
    const work = () => this.cache.file(this.versionOf(entry), link, digest);
    await this.mutex.run(entry.key, work).catch(() => undefined);
  }

  private targetOf(key: string): Target {
    assertKey(key);
    assertKey(this.root + key);
    return { Bucket: this.bucket, Key: this.root + key };
  }

  /** One request, without retries. */
  private headOnce(key: string, target: Target): Promise<HeadResult | undefined> {
    return this.requests
      .once(0, async ({ client, abortSignal }) => {
        const response = await client.send(new HeadObjectCommand(target), { abortSignal });
        const { ETag, ContentLength = 0, Metadata } = response;
        return { key, etag: etagOf(ETag), size: ContentLength, writeId: Metadata?.[WRITE_ID] };
      })
      .catch(undefinedIfNotFound);
  }

  /** @throws {PreconditionFailedError} if the object was replaced or deleted in the meantime */
  private download({ key, etag, size }: ObjectEntry, target: Target, file: string): Promise<void> {
    return this.requests.withRetries('get', key, () =>
      this.requests.once(size, async ({ client, abortSignal }) => {
        const response = await client
          .send(new GetObjectCommand(target), { abortSignal })
          .catch(undefinedIfNotFound);
        const body = response?.Body;
        if (!(body instanceof Readable)) throw new PreconditionFailedError(key);
        if (etagOf(response?.ETag) !== etag) {
          body.destroy();
          throw new PreconditionFailedError(key);
        }
        await pipeline(body, createWriteStream(file));
      }),
    );
  }
}

function undefinedIfNotFound(error: unknown): undefined {
  if (outcomeOf(error) !== 'not_found') throw error;
}
