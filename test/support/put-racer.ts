import { createInterface } from 'node:readline';
import { PreconditionFailedError } from '../../src/storage/errors.js';
import type { PutCondition } from '../../src/storage/object-store.js';
import { S3Store, type S3StoreOptions } from '../../src/storage/s3-store.js';

/** What a racer is told, one line of JSON each. */
export interface Race {
  readonly key: string;
  readonly condition: PutCondition;
  readonly writers: number;
}
/** What it says then: the bodies that won, and what went wrong beside lost races. */
export interface Raced {
  readonly won: readonly string[];
  readonly errors: readonly string[];
}

/** A program that puts, as often at the same time as it is told, each time other bytes. Its argument: the store's options. */
const options: S3StoreOptions = JSON.parse(process.argv[2] ?? '{}');
const store = await S3Store.open(options);
process.stdout.write('ready\n');
let count = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { key, condition, writers }: Race = JSON.parse(line);
  const won: string[] = [];
  const errors: string[] = [];
  await Promise.all(
    Array.from({ length: writers }, async () => {
      const body = `${process.pid}-${++count}`;
      try {
        await store.put(key, Buffer.from(body), condition);
        won.push(body);
      } catch (error) {
        if (!(error instanceof PreconditionFailedError)) errors.push(String(error));
      }
    }),
  );
  const raced: Raced = { won, errors };
  process.stdout.write(`${JSON.stringify(raced)}\n`);
}
await store.close();
