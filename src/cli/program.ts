import { readFileSync } from 'node:fs';
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';
import { backfillRequestSchema } from '../admin/backfills.js';
import { type Environment, loadSettings } from '../config/settings.js';
import { errno, MonitorError } from '../domain/errors.js';
import type { DemoOptions } from './demo.js';

const KINDS = ['delta', 'historical', 'backup', 'bootstrap'] as const;

interface ServiceOptions {
  readonly url?: string;
  /** What the file holds. */
  readonly tokenFile?: string;
}

/**
 * Runs one command to its end. What it says goes to the streams of this process; no error leaves it.
 * @param args without `node` and the file
 * @param env the settings; the AWS SDK finds its credentials in the environment of the process
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
    // It has said itself what is wrong, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode;
    console.error(error instanceof MonitorError ? error.message : error);
    return 1;
  }
}

/** @param fail called by a command that ends in order and did not succeed */
function createProgram(env: Environment, fail: () => void): Command {
  const program = new Command('mlflow-monitor')
    .description('Watches every metric that teams log to MLflow and shows what is red, since when and why')
    // Of every command that follows, too: it would end the process itself.
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
    .description('run one pipeline run to its end in this process')
    .addArgument(new Argument('<kind>').choices(KINDS))
    .action(async (kind: (typeof KINDS)[number]) => {
      const settings = loadSettings(env);
      const { runOnce } = await import('./run.js');
      if (!(await runOnce(settings, kind))) fail();
    });
  program
    .command('demo')
    .description('watch a made-up company, to see what this is: nothing else is needed')
    .option('--seed <number>', 'another number is another company', wholeNumber(2 ** 32), 1)
    .option('--port <number>', 'port of the page; 0 takes a free one', wholeNumber(65_535), 3000)
    .option('--folder <path>', 'where the demo keeps its data', './data-demo')
    .action(async (options: DemoOptions) => {
      const { demo } = await import('./demo.js');
      await demo(options, env);
    });
  program
    .command('backfill')
    .description('make the days from --from to --to, both included, equal to MLflow')
    .requiredOption('--from <day>', 'the first day, UTC', day)
    .requiredOption('--to <day>', 'the last day, UTC', day)
    .option('--url <url>', 'let the service at this address do it, and follow it there')
    .option(
      '--token-file <file>',
      'with --url: a file that holds the admin token; else ADMIN_TOKEN',
      contents,
    )
    .action(async ({ from, to, url, tokenFile }: Record<'from' | 'to', string> & ServiceOptions) => {
      const request = { from, to };
      const { backfillHere, backfillThere } = await import('./backfill.js');
      const token = tokenFile ?? env.ADMIN_TOKEN?.trim();
      const succeeded = url
        ? await backfillThere({ url, token }, request)
        : await backfillHere(loadSettings(env), request);
      if (!succeeded) fail();
    });
  program
    .command('validate')
    .description('look at every setting and connection, and say what to change')
    .action(async () => {
      const { validate } = await import('./validate.js');
      if (!(await validate(env))) fail();
    });
  program
    .command('suggest')
    .description('suggest thresholds from the stored history, as a file to edit')
    .option('--out <file>', 'the file to write; else standard output')
    .action(async ({ out }: { out?: string }) => {
      const settings = loadSettings(env);
      const { suggest } = await import('./suggest.js');
      await suggest(settings, out);
    });
  return program;
}

function wholeNumber(max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${max}.`);
  };
}

const contents = (file: string): string => {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new InvalidArgumentError(`It cannot be read (${errno(error)}).`);
  }
};

const day = (text: string): string => {
  const parsed = backfillRequestSchema.shape.from.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError('It expects a day such as 2026-03-31.');
  return parsed.data;
};
