import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';
import { backfillRequestSchema } from '../admin/backfills.js';
import { type Environment, loadSettings } from '../config/settings.js';
import { errno, MonitorError } from '../domain/errors.js';
import type { DemoOptions } from './demo.js';

const KINDS = ['delta', 'historical', 'backup', 'bootstrap'] as const;

interface ServiceOptions {
  readonly url?: string;
  /** The contents of the file. */
  readonly tokenFile?: string;
}

/**
 * Runs one command to its end. It prints to the streams of this process, also its errors: it never throws.
 * @param args without `node` and the file
 * @param env the settings; the AWS SDK reads its credentials from `process.env`
 * @returns the exit code
 */
export async function runCommand(args: readonly string[], env: Environment): Promise<number> {
  let code = 0;
  const program = createProgram(env, () => {
    code = 1;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has already printed the error or the help.
    if (error instanceof CommanderError) return error.exitCode;
    console.error(error instanceof MonitorError ? error.message : error);
    return 1;
  }
}

/** @param fail called by a command that ends without an exception but did not succeed */
function createProgram(env: Environment, fail: () => void): Command {
  const program = new Command('mlflow-monitor')
    .description('Monitors the metrics that teams log to MLflow and shows what is red, since when and why')
    // Inherited by all commands below. Otherwise commander ends the process.
    .exitOverride();
  program
    .command('serve', { isDefault: true })
    .description('run the service')
    .action(async () => {
      const settings = loadSettings(env);
      const { serve } = await import('./serve.js');
      await serve(settings);
    });
  program
    .command('run')
    .description('execute one pipeline run in this process, then exit')
    .addArgument(new Argument('<kind>').choices(KINDS))
    .action(async (kind: (typeof KINDS)[number]) => {
      const settings = loadSettings(env);
      const { runOnce } = await import('./run.js');
      if (!(await runOnce(settings, kind))) fail();
    });
  program
    .command('demo')
    .description('monitor a fictional company; requires no other setup')
    .option('--seed <number>', 'each number generates a different company', wholeNumber(2 ** 32), 1)
    .option('--port <number>', 'port of the page; 0 picks a free port', wholeNumber(65_535), 3000)
    .option('--folder <path>', 'where the demo stores its data', './data-demo')
    .action(async (options: DemoOptions) => {
      const { demo } = await import('./demo.js');
      await demo(options, env);
    });
  program
    .command('backfill')
    .description('make the days from --from to --to (inclusive) equal to MLflow')
    .requiredOption('--from <day>', 'first day (UTC)', day)
    .requiredOption('--to <day>', 'last day (UTC)', day)
    .option('--url <url>', 'send the backfill to the service at this address and show its progress')
    .option('--token-file <file>', 'with --url: file with the admin token (default: ADMIN_TOKEN)', readText)
    .action(async ({ from, to, url, tokenFile }: Record<'from' | 'to', string> & ServiceOptions) => {
      const days = { from, to };
      const { backfillLocally, backfillRemotely } = await import('./backfill.js');
      const token = tokenFile ?? env.ADMIN_TOKEN?.trim();
      const succeeded = url
        ? await backfillRemotely({ url, token }, days)
        : await backfillLocally(loadSettings(env), days);
      if (!succeeded) fail();
    });
  program
    .command('validate')
    .description('check all settings and connections and show what to change')
    .action(async () => {
      const { validate } = await import('./validate.js');
      if (!(await validate(env))) fail();
    });
  program
    .command('suggest')
    .description('suggest thresholds from the stored history, as a catalog file to edit')
    .option('--out <file>', 'file to write (default: standard output)')
    .action(async ({ out }: { out?: string }) => {
      const settings = loadSettings(env);
      const { suggest } = await import('./suggest.js');
      await suggest(settings, out);
    });
  program
    .command('retention')
    .description('delete the days that RETENTION_DAYS does not keep; the service does so hourly')
    .option('--dry-run', 'only show what would be deleted, also while a service is running')
    .action(async ({ dryRun = false }: { dryRun?: boolean }) => {
      const settings = loadSettings(env);
      const { retention } = await import('./retention.js');
      await retention(settings, dryRun);
    });
  return program;
}

function wholeNumber(max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number <= max) return number;
    throw new InvalidArgumentError(`Expected a whole number from 0 to ${max}.`);
  };
}

const readText = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new InvalidArgumentError(`Cannot read the file (${errno(error)}).`);
  }
};

const day = (text: string): string => {
  const parsed = backfillRequestSchema.shape.from.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError('Expected a day such as 2026-03-31.');
  return parsed.data;
};
