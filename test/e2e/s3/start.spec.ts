import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describeS3 } from '../../support/s3-server.js';

describeS3('the command on an S3 bucket', (server) => {
  it('prints one line about a missing bucket, without warnings of the SDK', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'start-s3-'));
    try {
      const args = ['dist/main.js', 'run', 'delta'];
      const child = spawn(process.execPath, args, {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          ...process.env,
          NODE_OPTIONS: '',
          MLFLOW_TRACKING_URI: 'http://127.0.0.1:1',
          STORAGE_DIR: dir,
          S3_BUCKET: 'missing',
          S3_ENDPOINT: server().endpoint,
          S3_FORCE_PATH_STYLE: 'true',
        },
      });
      const errors = text(child.stderr);
      const [code] = await once(child, 'exit');
      expect(await errors).toMatch(
        /^Cannot put _probe\/[\w-]+ of s3:\/\/missing: 404 NoSuchBucket: [^\n]+\n$/,
      );
      expect(code).toBe(1);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
