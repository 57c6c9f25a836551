import { lockFolder } from '../../src/storage/folder-lock.js';

/**
 * A program that locks the folder in its first argument and prints one line: `owned`, or the error as JSON.
 * It holds the lock until it is killed or its standard input ends.
 */
const dir = process.argv[2] ?? '';
try {
  const lock = await lockFolder(dir);
  process.stdout.write('owned\n');
  process.stdin.resume();
  process.stdin.on('end', () => void lock.release());
} catch (error) {
  const { code, message } =
    error instanceof Error && 'code' in error ? error : { code: '', message: `${error}` };
  process.stdout.write(`${JSON.stringify({ code, message })}\n`);
}
