import { createHash } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type ServerSideEncryption,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { withStoreErrors } from './folder-files.js';
import type { ObjectBody, PutCondition } from './object-store.js';
import type { S3Request, S3Requests } from './s3-requests.js';

export interface UploadOptions {
  /** Larger objects, bytes, are uploaded in parts. */
  readonly multipartFrom: number;
  readonly partBytes: number;
  /** Whether to send SHA-256 checksums, which the store verifies and keeps. */
  readonly checksums: boolean;
  readonly sse?: ServerSideEncryption | undefined;
  readonly kmsKeyId?: string | undefined;
}

export interface Target {
  readonly Bucket: string;
  readonly Key: string;
}

/** The metadata that identifies the put that wrote an object. */
export const WRITE_ID = 'write-id';

interface Part {
  readonly start: number;
  readonly size: number;
  /** Base64. */
  readonly sha256?: string | undefined;
}

interface Content {
  readonly Body: Buffer | ReadStream;
  readonly ContentLength: number;
  readonly ChecksumSHA256?: string | undefined;
}

/** The content of one put, which can be sent repeatedly. */
export class Upload {
  private constructor(
    private readonly requests: S3Requests,
    private readonly body: ObjectBody,
    private readonly size: number,
    private readonly parts: readonly Part[],
    private readonly options: UploadOptions,
  ) {}

  /** @throws {StoreError} `store_io` if the file cannot be read */
  static prepare(
    requests: S3Requests,
    key: string,
    body: ObjectBody,
    options: UploadOptions,
  ): Promise<Upload> {
    return withStoreErrors('read', key, async () => {
      const size = Buffer.isBuffer(body) ? body.length : (await stat(body.file)).size;
      const partBytes = size > options.multipartFrom ? options.partBytes : size;
      const parts: Part[] = [];
      for (let start = 0; start < size || start === 0; start += partBytes || 1) {
        const part = { start, size: Math.min(partBytes, size - start) };
        parts.push(options.checksums ? { ...part, sha256: await digest(body, part) } : part);
      }
      return new Upload(requests, body, size, parts, options);
    });
  }

  /** SHA-256 of the content, hex, if it was computed for the upload. */
  get digest(): string | undefined {
    const [whole, second] = this.parts;
    if (second || whole?.sha256 === undefined) return undefined;
    return Buffer.from(whole.sha256, 'base64').toString('hex');
  }

  /**
   * Puts the object in one attempt. If it throws, the store may have executed it all the same.
   * @param writeId unique to this put; stored with the object
   * @returns the ETag
   */
  async send(target: Target, writeId: string, condition?: PutCondition): Promise<string> {
    const { sse, kmsKeyId } = this.options;
    const object = {
      ...target,
      Metadata: { [WRITE_ID]: writeId },
      ServerSideEncryption: sse,
      SSEKMSKeyId: kmsKeyId,
    };
    const conditions =
      condition && ('ifMatch' in condition ? { IfMatch: condition.ifMatch } : { IfNoneMatch: '*' });
    const [whole, second] = this.parts;
    if (!whole || second) return this.sendInParts(object, conditions);
    const { ETag } = await this.sendPart(whole, (content, { client, abortSignal }) =>
      client.send(new PutObjectCommand({ ...object, ...conditions, ...content }), { abortSignal }),
    );
    return etagOf(ETag);
  }

  private async sendInParts(
    object: Target,
    conditions: { IfMatch: string } | { IfNoneMatch: string } | undefined,
  ): Promise<string> {
    const { Bucket, Key } = object;
    const ChecksumAlgorithm = this.options.checksums ? ('SHA256' as const) : undefined;
    const { UploadId } = await this.requests.once(0, ({ client, abortSignal }) =>
      client.send(new CreateMultipartUploadCommand({ ...object, ChecksumAlgorithm }), { abortSignal }),
    );
    const upload = { Bucket, Key, UploadId };
    try {
      const Parts: CompletedPart[] = [];
      for (const [i, part] of this.parts.entries()) {
        const PartNumber = i + 1;
        const { ETag } = await this.requests.withRetries('put', `part ${PartNumber} of ${Key}`, () =>
          this.sendPart(part, (content, { client, abortSignal }) =>
            client.send(new UploadPartCommand({ ...upload, PartNumber, ...content }), { abortSignal }),
          ),
        );
        Parts.push({ PartNumber, ETag, ChecksumSHA256: part.sha256 });
      }
      const complete = { ...upload, MultipartUpload: { Parts }, ...conditions };
      const { ETag } = await this.requests.once(this.size, ({ client, abortSignal }) =>
        client.send(new CompleteMultipartUploadCommand(complete), { abortSignal }),
      );
      return etagOf(ETag);
    } catch (error) {
      // Abandoned parts are invisible and cost money. If this fails, the bucket's lifecycle rule removes them.
      await this.requests
        .once(0, ({ client, abortSignal }) =>
          client.send(new AbortMultipartUploadCommand(upload), { abortSignal }),
        )
        .catch(() => undefined);
      throw error;
    }
  }

  private sendPart<T>(part: Part, send: (content: Content, request: S3Request) => Promise<T>): Promise<T> {
    const { size, sha256 } = part;
    return this.requests.once(size, async (request) => {
      const Body = read(this.body, part);
      if (!Buffer.isBuffer(Body)) Body.on('error', request.abort);
      try {
        return await send({ Body, ContentLength: size, ChecksumSHA256: sha256 }, request);
      } finally {
        if (!Buffer.isBuffer(Body)) Body.destroy();
      }
    });
  }
}

function read(body: ObjectBody, { start, size }: Part): Buffer | ReadStream {
  if (Buffer.isBuffer(body)) return body.subarray(start, start + size);
  return size === 0 ? Buffer.alloc(0) : createReadStream(body.file, { start, end: start + size - 1 });
}

async function digest(body: ObjectBody, part: Part): Promise<string> {
  const hash = createHash('sha256');
  const content = read(body, part);
  if (Buffer.isBuffer(content)) hash.update(content);
  else for await (const chunk of content) hash.update(chunk);
  return hash.digest('base64');
}

/** @throws {Error} if the response is not from a store, such as the page of a proxy */
export function etagOf(etag: string | undefined): string {
  if (!etag) throw new Error('the response has no ETag');
  return etag;
}
