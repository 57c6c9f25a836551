import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { S3Store, type S3StoreOptions } from '../../../src/storage/s3-store.js';
import type { Race, RaceResult } from '../../support/put-racer.js';
import { rounds } from '../../support/rounds.js';
import { describeS3 } from '../../support/s3-server.js';

const PROCESSES = 4;
const WRITERS = 32;
const ROUNDS = rounds(20, 200);

class Racer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly lines: AsyncIterator<string>,
  ) {}

  static async start(options: S3StoreOptions): Promise<Racer> {
    const args = ['--import', 'tsx', './test/support/put-racer.ts'];
    const child = spawn(process.execPath, [...args, JSON.stringify(options)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, NODE_OPTIONS: '', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    });
    const racer = new Racer(child, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
    expect(await racer.line()).toBe('ready');
    return racer;
  }

  async race(race: Race): Promise<RaceResult> {
    this.child.stdin?.write(`${JSON.stringify(race)}\n`);
    return JSON.parse(await this.line());
  }

  async stop(): Promise<void> {
    const exit = once(this.child, 'exit');
    this.child.stdin?.end();
    await exit;
  }

  private async line(): Promise<string> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error(`A racer exited with ${this.child.exitCode}`);
    return value;
  }
}

describeS3('several processes on one S3 bucket', (server) => {
  let dir: string;
  let store: S3Store;
  let racers: Racer[];
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 's3-race-'));
    const options = {
      bucket: await server().bucket('race'),
      endpoint: server().endpoint,
      pathStyle: true,
      checksumMode: 'WHEN_SUPPORTED',
      maxRetries: 5,
      timeoutMs: 30_000,
    } as const;
    store = await S3Store.open({ ...options, dir: join(dir, 'parent') });
    racers = await Promise.all(
      Array.from({ length: PROCESSES }, (_, i) => Racer.start({ ...options, dir: join(dir, `${i}`) })),
    );
  });
  afterAll(async () => {
    await Promise.all(racers.map((racer) => racer.stop()));
    await store.close();
    await rm(dir, { recursive: true, force: true });
  });

  it(
    `have exactly one winner in each of ${ROUNDS} rounds of ${WRITERS} puts on one key`,
    async () => {
      for (let round = 0; round < ROUNDS; round++) {
        // Every tenth round creates an object, the others replace it.
        const key = `race/${Math.floor(round / 10)}`;
        const etag = (await store.head(key))?.etag;
        const condition = etag ? { ifMatch: etag } : ({ ifNoneMatch: '*' } as const);
        const race = { key, condition, writers: WRITERS / PROCESSES };
        const results = await Promise.all(racers.map((racer) => racer.race(race)));
        expect(results.flatMap(({ errors }) => errors)).toEqual([]);
        const won = results.flatMap((result) => result.won);
        expect(won).toHaveLength(1);
        expect((await store.get(key))?.body.toString()).toBe(won[0]);
      }
    },
    ROUNDS * 10_000,
  );
});
