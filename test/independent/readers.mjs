/**
 * Checks the Python module that reads datasets: it can be installed, its types are right, and its tests pass with what was
 * installed, also on a real S3 server whose objects are replaced while they are read.
 */
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const HERE = import.meta.dirname;
const MODULE = resolve(HERE, '../../readers/python');

function run(command, args, env = {}) {
  const options = { env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', ...env }, encoding: 'utf8' };
  const { status, stdout, stderr, error } = spawnSync(command, args, options);
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout.trim();
}

const folder = await mkdtemp(join(tmpdir(), 'readers-'));
try {
  const python = join(
    dirname(
      run('sh', [join(HERE, 'venv.sh')])
        .split('\n')
        .at(-1),
    ),
    'python',
  );
  // A copy, because pip builds in the folder itself.
  const source = join(folder, 'source');
  await cp(MODULE, source, { recursive: true });
  const installed = join(folder, 'installed');
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
  run(python, [...pip, '--no-deps', '--target', installed, source]);
  const mypy = [
    '-m',
    'mypy',
    '--config-file',
    join(source, 'pyproject.toml'),
    '--cache-dir',
    join(folder, 'mypy'),
  ];
  console.log(run(python, [...mypy, join(installed, 'mlflow_monitor_reader')]));
  const pytest = ['-m', 'pytest', '-q', '-s', '-p', 'no:cacheprovider', join(source, 'tests')];
  console.log(run(python, pytest, { PYTHONPATH: installed }));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
