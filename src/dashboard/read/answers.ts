import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Request, Response } from 'express';

/** A serialized response. */
export interface Answer {
  readonly etag: string;
  readonly contentType: string;
  /** The name of the file, if it is a download. */
  readonly filename?: string;
  readonly body: Buffer;
  /** Whether `body` is compressed: five times as many of these fit into the cache, and nearly every client takes them as they are. */
  readonly isGzipped: boolean;
}

const JSON_TYPE = 'application/json; charset=utf-8';

export async function jsonAnswer(body: Buffer): Promise<Answer> {
  return { etag: etagOf(body), contentType: JSON_TYPE, body: await promisify(gzip)(body), isGzipped: true };
}

/** Of the content, so that processes and restarts agree. Weak: the same for all encodings. */
export const etagOf = (body: Buffer): string =>
  `W/"${createHash('sha256').update(body).digest('base64url')}"`;

/** Express sends a 304 if the request has this ETag. */
export async function sendAnswer(request: Request, response: Response, answer: Answer): Promise<void> {
  // Sets the type of the extension, which the next line replaces.
  if (answer.filename !== undefined) response.attachment(answer.filename);
  response.set({
    'Content-Type': answer.contentType,
    'Cache-Control': 'no-cache',
    ETag: answer.etag,
    Vary: 'Accept, Accept-Encoding',
    'X-Content-Type-Options': 'nosniff',
  });
  if (!answer.isGzipped) response.send(answer.body);
  else if (request.acceptsEncodings('gzip') === 'gzip')
    response.set('Content-Encoding', 'gzip').send(answer.body);
  else response.send(await promisify(gunzip)(answer.body));
}

/** The memory of all kept responses, bytes. */
const MAX_BYTES = 64 * 2 ** 20;

/** Keeps responses by what they are made from, and makes none twice at once. The least recently used ones leave first. */
export class AnswerCache {
  private readonly answers = new Map<string, Promise<Answer>>();
  /** Bytes of those that are made, least recently used first. */
  private readonly sizes = new Map<string, number>();
  private bytes = 0;

  constructor(private readonly maxBytes = MAX_BYTES) {}

  /** @param madeFrom the request and the versions of everything that `make` reads */
  async get(madeFrom: unknown, make: () => Promise<Answer>): Promise<Answer> {
    const key = createHash('sha256').update(JSON.stringify(madeFrom)).digest('base64url');
    const answer = this.answers.get(key) ?? this.keep(key, make());
    this.answers.set(key, answer);
    const size = this.sizes.get(key);
    if (size !== undefined) {
      // The most recently used one is the last.
      this.sizes.delete(key);
      this.sizes.set(key, size);
    }
    return answer;
  }

  private async keep(key: string, made: Promise<Answer>): Promise<Answer> {
    try {
      const answer = await made;
      const size = answer.body.length;
      this.sizes.set(key, size);
      this.bytes += size;
      this.evict();
      return answer;
    } catch (error) {
      this.remove(key);
      throw error;
    }
  }

  private evict(): void {
    for (const key of this.sizes.keys()) {
      if (this.bytes <= this.maxBytes) return;
      this.remove(key);
    }
  }

  private remove(key: string): void {
    this.answers.delete(key);
    this.bytes -= this.sizes.get(key) ?? 0;
    this.sizes.delete(key);
  }
}
