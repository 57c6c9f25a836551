import { join } from 'node:path';
import { describeS3 } from '../../support/s3-server.js';
import { Commands, WEEK } from './commands.js';

let commands: Commands;
beforeEach(async () => {
  commands = await Commands.open();
});
afterEach(() => commands.close());

describeS3('the commands with a bucket', (server) => {
  it('test the bucket, suggest thresholds from its history, and judge by its rules', async () => {
    const bucket = {
      S3_BUCKET: await server().bucket('monitor'),
      S3_ENDPOINT: server().endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      AWS_REGION: 'us-east-1',
    };
    const empty = await commands.run(['suggest'], bucket);
    expect([empty.code, empty.err]).toEqual([1, expect.stringContaining('No history in s3://monitor yet')]);
    expect((await commands.run(['backfill', ...WEEK], bucket)).code).toBe(0);
    const suggested = await commands.run(['suggest'], bucket);
    expect(suggested.out).toContain('accuracy: 139 values, 1 invalid');

    const checked = await commands.run(['check', '--run', 'run000000'], bucket);
    expect([checked.code, checked.out]).toEqual([2, expect.stringContaining('the rulebook in s3://monitor')]);

    const valid = await commands.run(['validate'], bucket);
    expect(valid.out).toMatch(/ok +Store +s3:\/\/monitor is writable; conditional writes work/);
    expect(valid.code).toBe(0);
    const elsewhere = { ...bucket, S3_BUCKET: 'elsewhere', STORAGE_DIR: join(commands.folder, 'other') };
    const missing = await commands.run(['validate'], elsewhere);
    expect(missing.out).toMatch(
      /change +Store +.*elsewhere.*\n +→ Create the bucket, or correct S3_BUCKET\./,
    );
    expect(missing.code).toBe(1);
  });
});
