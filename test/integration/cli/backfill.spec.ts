import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Commands, WEEK } from './commands.js';

let commands: Commands;
beforeEach(async () => {
  commands = await Commands.open();
});
afterEach(() => commands.close());

describe('mlflow-monitor backfill', () => {
  it('runs to its end in its own process', async () => {
    const { code, out } = await commands.runProgram(['backfill', ...WEEK]);
    expect(out).toContain('backfill-1 done: 140 runs, 287 metrics, 0 quarantined');
    // The plan, 3 stages for each of 7 days, and 2 selections with 7 days each: forecasts, and what needs them.
    expect(out).toContain('backfill-1: 38 of 38 steps');
    expect(code).toBe(0);
    expect(await commands.statuses('entropy')).toEqual({ unmonitored: 140 });
  });

  it('rejects wrong options before it does anything', async () => {
    const future = await commands.run(['backfill', '--from', '2026-02-01', '--to', '2099-01-01']);
    const noDay = await commands.runProgram(['backfill', '--from', '2026-02-30', '--to', '2026-03-01']);
    const remote = ['backfill', ...WEEK, '--url', 'http://127.0.0.1:9'];
    const noFile = await commands.run([...remote, '--token-file', 'none']);
    const noService = await commands.run(remote);
    expect([future.code, future.err]).toEqual([1, expect.stringContaining('2099-01-01 is in the future')]);
    expect([noDay.code, noDay.err]).toEqual([
      1,
      expect.stringContaining('Expected a day such as 2026-03-31'),
    ]);
    expect([noFile.code, noFile.err]).toEqual([1, expect.stringContaining('Cannot read the file (ENOENT)')]);
    expect(noFile.err).not.toContain('at ');
    expect([noService.code, noService.err]).toEqual([
      1,
      expect.stringMatching(/^http:\/\/127.0.0.1:9 is unreachable: /),
    ]);
  });

  it('exits with 1 when the run fails, and names the stage', async () => {
    commands.mlflow.intercept = () => ({ status: 401, body: '{}' });
    const { code, err } = await commands.run(['backfill', ...WEEK]);
    expect(err).toContain('backfill-1 failed');
    expect(err).toMatch(/all\.plan: MLflow .*experiments\/search.*401/);
    expect(code).toBe(1);
  });

  it('refers to a running service, which accepts the backfill with a token', async () => {
    const tokens = join(commands.folder, 'tokens');
    await writeFile(tokens, createHash('sha256').update('right').digest('hex'));
    const service = await commands.openService({ ADMIN_TOKEN_SHA256_FILE: tokens, HOST: '0.0.0.0' });
    try {
      const url = ['--url', `http://127.0.0.1:${service.port}/`];
      const remote = ['backfill', ...WEEK, ...url];
      const local = await commands.runProgram(['backfill', ...WEEK]);
      expect(local.code).toBe(1);
      expect(local.err).toContain(`process ${process.pid}`);
      expect(local.err).toContain(`backfill ${WEEK.join(' ')} --url http://127.0.0.1:3000`);

      const noToken = await commands.run(remote);
      const wrongToken = await commands.run(remote, { ADMIN_TOKEN: 'wrong' });
      const future = ['backfill', '--from', '2026-02-01', '--to', '2099-01-01', ...url];
      const wrongDays = await commands.run(future, { ADMIN_TOKEN: 'right' });
      expect([noToken.code, noToken.err]).toEqual([1, expect.stringContaining('Set ADMIN_TOKEN')]);
      expect([wrongToken.code, wrongToken.err]).toEqual([1, expect.stringContaining('returned 401')]);
      expect([wrongDays.code, wrongDays.err]).toEqual([1, expect.stringContaining('in the future')]);

      // The settings of the service are not needed.
      const accepted = await commands.run(remote, { ADMIN_TOKEN: 'right', MLFLOW_TRACKING_URI: '' });
      expect([accepted.code, accepted.out]).toEqual([
        0,
        expect.stringContaining('backfill-1 done: 7 of 7 days'),
      ]);

      const tokenFile = join(commands.folder, 'token');
      await writeFile(tokenFile, 'right\n');
      const day = ['backfill', '--from', '2026-02-01', '--to', '2026-02-01', ...url];
      const withFile = await commands.run([...day, '--token-file', tokenFile]);
      expect([withFile.code, withFile.out]).toEqual([
        0,
        expect.stringContaining('backfill-2 done: 1 of 1 days'),
      ]);
    } finally {
      await service.close();
    }
    expect(await commands.statuses('entropy')).toEqual({ unmonitored: 140 });
  });
});
