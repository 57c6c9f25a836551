import { createInterface } from 'node:readline';
import { PreconditionFailedError } from '../../src/storage/errors.js';
import type { PutCondition } from '../../src/storage/object-store.js';
import { S3Store, type S3StoreOptions } from '../../src/storage/s3-store.js';

/** A command to a racer, one line of JSON. */
export interface Race {
  readonly key: string;
  readonly condition: PutCondition;
  readonly writers: number;
}
/** Its response, one line of JSON: the bodies that won, and errors other than lost races. */
export interface RaceResult {
  readonly won: readonly string[];
  readonly errors: readonly string[];
}

// A program that runs concurrent puts with different bodies. Each input line is a `Race`. Its argument: the store's options.
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
  const result: RaceResult = { won, errors };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
await store.close();
