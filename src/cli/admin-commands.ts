import { readFileSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import type { Environment } from '../config/settings.js';
import { isLoopback } from '../http/access-rules.js';
import { localTokenFile } from '../http/admin-tokens.js';
import { readText } from './arguments.js';

/**
 * The admin token for a service: that of the option or setting, else the one in this machine's `STORAGE_DIR`, which is sent
 * only to this machine.
 * @param given contents of `--token-file`
 */
export function adminTokenFor(url: string, given: string | undefined, env: Environment): string | undefined {
  const token = given ?? env.ADMIN_TOKEN?.trim();
  if (token) return token;
  if (!URL.canParse(url) || !isLoopback(new URL(url).hostname)) return undefined;
  try {
    return readFileSync(localTokenFile(env.STORAGE_DIR?.trim() || './data'), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** A name that the token file can hold. */
function tokenName(text: string): string {
  const name = text.trim();
  if (/^[^\s#-][^#\p{Cc}]{0,99}$/u.test(name)) return name;
  throw new InvalidArgumentError('Expected a name without # and line breaks, of at most 100 characters.');
}

export function addAdminCommands(program: Command, env: Environment): void {
  program
    .command('login')
    .description('print a link that signs a browser in as an admin; it works once, for 15 minutes')
    .option('--url <url>', 'address of the service (default: this machine, port PORT)')
    .option('--token-file <file>', 'file with the admin token (default: ADMIN_TOKEN)', readText)
    .action(async ({ url, tokenFile }: { url?: string; tokenFile?: string }) => {
      const { printLoginLink } = await import('./login.js');
      const address = url ?? `http://127.0.0.1:${env.PORT?.trim() || 3000}`;
      await printLoginLink({ url: address, token: adminTokenFor(address, tokenFile, env) });
    });
  program
    .command('token')
    .description('create an admin token and print it')
    .argument('<name>', 'whose token it is; the audit log shows it', tokenName)
    .option(
      '--file <file>',
      'add its SHA-256 to this file (default: ADMIN_TOKEN_SHA256_FILE; without one, print the line)',
    )
    .action(async (name: string, { file }: { file?: string }) => {
      const { createAdminToken } = await import('./token.js');
      await createAdminToken(name, file ?? env.ADMIN_TOKEN_SHA256_FILE?.trim());
    });
}
