import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

describe('the built program', () => {
  it('is executable, as `npx mlflow-monitor` in a clone requires', async () => {
    const { stdout } = await promisify(execFile)('dist/main.js', ['--help']);
    expect(stdout).toMatch(/^Usage: mlflow-monitor/);
  });

  // Otherwise SIGTERM ends only the shell between npm and node: node continues and owns the folder.
  it.each(['start', 'demo', 'start:dev'])('replaces the shell of `npm run %s`', async (script) => {
    const { scripts } = JSON.parse(await readFile('package.json', 'utf8'));
    expect(scripts[script]).toMatch(/ && exec \S+ [^&;|]*$/);
  });
});
