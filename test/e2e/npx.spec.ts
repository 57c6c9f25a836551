import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

const run = promisify(execFile);

it('`npx mlflow-monitor demo` works with the packed package in an empty folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'npx-'));
  try {
    // The scripts would rebuild dist/ while other tests use it.
    const packed = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
      maxBuffer: 2 ** 24,
    });
    const [{ filename, files }] = JSON.parse(packed.stdout) as [
      { filename: string; files: { path: string }[] },
    ];
    const paths = files.map(({ path }) => path);
    expect(paths).toContain('dist/queue/queue-image.tar');
    expect(paths.filter((path) => !/^(dist|docs)\/|^[A-Z]+(\.md)?$|^package\.json$/.test(path))).toEqual([]);
    await run('npm', ['init', '--yes'], { cwd: folder });
    await run('npm', ['install', '--no-audit', '--no-fund', `./${filename}`], { cwd: folder });

    const demo = spawn('npx', ['--no-install', 'mlflow-monitor', 'demo', '--port', '0'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'inherit'],
      // In its own process group: npx does not forward the signal to the program.
      detached: true,
    });
    const exited = once(demo, 'close');
    const url = await new Promise<string>((resolve, reject) => {
      createInterface(demo.stdout).on('line', (line) => {
        const link = /http:\/\/127\.0\.0\.1:\d+\//.exec(line);
        if (link) resolve(link[0]);
      });
      exited.then(() => reject(new Error('The demo exited before it printed its link')));
    });
    const page = await fetch(url);
    expect(page.headers.get('content-type')).toContain('text/html');
    const current = await fetch(`${url}api/v1/platform/current`);
    expect(await current.json()).toHaveProperty('platform.light');
    process.kill(-(demo.pid ?? 0), 'SIGINT');
    await exited;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
