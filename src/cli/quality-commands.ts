import { type Command, CommanderError } from 'commander';
import { type Environment, loadSettings } from '../config/settings.js';
import { adminTokenFor } from './admin-commands.js';
import { day, readText } from './arguments.js';

/** Adds `quality` and `quarantine replay`. Like `check`, `quality` exits with 3 for every error: 1 is a verdict. */
export function addQualityCommands(program: Command, env: Environment, fail: (code?: number) => void): void {
  program
    .command('quality')
    .description('check stored days; exits with 0 good, 1 a check of severity error fails, 3 error')
    .exitOverride((error) => {
      throw new CommanderError(error.exitCode === 0 ? 0 : 3, error.code, error.message);
    })
    .requiredOption('--from <day>', 'first day (UTC)', day)
    .requiredOption('--to <day>', 'last day (UTC)', day)
    .option('--json', 'print JSON', false)
    .action(async (options: { from: string; to: string; json: boolean }) => {
      try {
        const { quality } = await import('./quality.js');
        // In production a service must have a queue. This command needs none.
        fail(await quality(loadSettings({ ...env, NODE_ENV: undefined }), options));
      } catch (error) {
        console.error(`ERROR: ${error instanceof Error ? error.message : String(error)}`);
        fail(3);
      }
    });
  program
    .command('quarantine')
    .description('runs that cannot be read')
    .command('replay')
    .description('read them from MLflow again; those that are good now leave the quarantine')
    .argument('[run-ids...]', 'only these runs (default: all)')
    .option('--url <url>', 'let the service at this address do it')
    .option('--token-file <file>', 'with --url: file with the admin token (default: ADMIN_TOKEN)', readText)
    .action(async (runIds: string[], options: { url?: string; tokenFile?: string }) => {
      const { replay } = await import('./quarantine.js');
      const { url, tokenFile } = options;
      const source = url ? { url, token: adminTokenFor(url, tokenFile, env) } : loadSettings(env);
      if (!(await replay(source, runIds))) fail();
    });
}
