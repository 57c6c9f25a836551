import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errno, firstLine, MonitorError } from '../domain/errors.js';

export interface AdminToken {
  readonly name: string;
  readonly sha256: Buffer;
}

/** Name of the token of the service's own folder, in the audit log. */
export const LOCAL_ADMIN = 'local';

export const createToken = (): string => randomBytes(32).toString('hex');
export const digestOfToken = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Where a service without configured tokens keeps its own. @param folder `STORAGE_DIR` */
export const localTokenFile = (folder: string): string => join(folder, 'admin-token');

/** Creates the token of a folder unless there is one, and lets only its owner read it. */
export async function ensureLocalToken(folder: string): Promise<void> {
  const file = localTokenFile(folder);
  await mkdir(folder, { recursive: true });
  try {
    await writeFile(file, `${createToken()}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
    // A copy, for example from a backup, may be readable by all. A mounted secret may belong to another user.
    await chmod(file, 0o600).catch(() => undefined);
  }
}

/**
 * The tokens in force. Read for each admin request: the file is small, and a removed token must stop working at once.
 * @param file `ADMIN_TOKEN_SHA256_FILE`; `undefined`: the token of the folder
 * @param folder `STORAGE_DIR`
 * @throws {RangeError} the file holds something else
 */
export async function readTokens(file: string | undefined, folder: string): Promise<AdminToken[]> {
  if (file) return parseTokens(await readFile(file, 'utf8'));
  const token = (await readFile(localTokenFile(folder), 'utf8')).trim();
  return parseTokens(`${digestOfToken(token)} ${LOCAL_ADMIN}`);
}

/**
 * Checks the file before the first admin request needs it.
 * @param file `ADMIN_TOKEN_SHA256_FILE`
 * @returns its number of tokens; `undefined` without a file
 * @throws {MonitorError} `token_file`
 */
export async function checkTokenFile(file: string | undefined): Promise<number | undefined> {
  if (!file) return undefined;
  try {
    return parseTokens(await readFile(file, 'utf8')).length;
  } catch (cause) {
    const message = `The admin tokens of ${file} (ADMIN_TOKEN_SHA256_FILE) cannot be read: ${firstLine(cause)}`;
    const advice = TOKEN_FILE_ADVICE[errno(cause) ?? '']?.(file) ?? CORRECT_TOKEN_FILE;
    throw new MonitorError('token_file', message, { file }, false, { cause, advice });
  }
}

const CORRECT_TOKEN_FILE =
  'Correct the file: each line has the SHA-256 of a token and a name, as `mlflow-monitor token` writes it';
/** By the code of the system's error. */
const TOKEN_FILE_ADVICE: Readonly<Record<string, (file: string) => string>> = {
  ENOENT: (file) =>
    `Correct ADMIN_TOKEN_SHA256_FILE, or create the file: mlflow-monitor token <name> --file ${file}`,
  ENOTDIR: () => 'Correct ADMIN_TOKEN_SHA256_FILE: a part of the path is no folder',
  EISDIR: () => 'Set ADMIN_TOKEN_SHA256_FILE to a file: this is a folder',
  EACCES: (file) => `Allow the user of the service to read ${file}`,
};

/**
 * Parses a token file: each line has the SHA-256 of a token (64 hex digits) and optionally, after a space, its name. `#`
 * starts a comment.
 * @throws {RangeError} a line is malformed, or there is no token; the message does not quote the line
 */
export function parseTokens(text: string): AdminToken[] {
  const lines = text.split('\n').map((line) => line.replace(/#.*/, '').trim());
  const tokens = lines.flatMap((line, i) => {
    if (line === '') return [];
    const [, hex, name] = /^([0-9a-f]{64})(?:\s+(.+))?$/i.exec(line) ?? [];
    if (!hex) throw new RangeError(`line ${i + 1} does not start with a SHA-256 of 64 hex digits`);
    if (EMPTY.includes(hex.toLowerCase())) {
      throw new RangeError(
        `line ${i + 1} is the SHA-256 of an empty text: everybody would be admin. Create a token with \`mlflow-monitor token\``,
      );
    }
    // `sha256sum` prints a dash as the name of standard input.
    return [{ name: name && name !== '-' ? name : `token ${i + 1}`, sha256: Buffer.from(hex, 'hex') }];
  });
  if (tokens.length === 0) throw new RangeError('it holds no token');
  return tokens;
}

/** Digests that a recipe writes if its variable is empty or its program is missing. */
const EMPTY: readonly string[] = ['', '\n', '\r\n', ' '].map(digestOfToken);
