import { appendFile } from 'node:fs/promises';
import { createToken, digestOfToken } from '../http/admin-tokens.js';

/**
 * Creates an admin token and prints it once.
 * @param file `ADMIN_TOKEN_SHA256_FILE`, to which its line is added; `undefined`: the line is printed
 */
export async function createAdminToken(name: string, file: string | undefined): Promise<void> {
  const token = createToken();
  const line = `${digestOfToken(token)} ${name}\n`;
  if (file) await appendFile(file, line, { mode: 0o600 });
  console.log(`Token of ${name}, shown only now:\n\n  ${token}\n`);
  console.log(
    file
      ? `Its SHA-256 was added to ${file}.`
      : `Add this line to the file of ADMIN_TOKEN_SHA256_FILE:\n\n  ${line}`,
  );
}
