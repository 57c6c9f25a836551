import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findInEnvironment } from './mlflow-server.js';

/**
 * Runs Python of the virtual environment that `test/independent/venv.sh` creates, with the module of readers/python.
 * @returns what it printed
 * @throws {Error} with its output if it fails
 */
export async function runPython(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const python = findInEnvironment('python');
  if (!python) throw new Error('There is no Python environment: sh test/independent/venv.sh');
  const variables = { PYTHONPATH: 'readers/python/src', PYTHONDONTWRITEBYTECODE: '1' };
  const options = { env: { ...process.env, ...variables, ...env } };
  return promisify(execFile)(python, args, options).then(
    ({ stdout }) => stdout,
    ({ message, stdout, stderr }) => {
      throw new Error(`${message}\n${stdout}${stderr}`);
    },
  );
}
