import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errno } from '../domain/errors.js';

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
