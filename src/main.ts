#!/usr/bin/env node
import 'reflect-metadata';
import { readFileSync } from 'node:fs';
import module from 'node:module';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { backfillRequestSchema } from './admin/backfills.js';
import type { DemoOptions } from './cli/demo.js';
import { loadSettings, SettingsError } from './config/settings.js';
import { MonitorError } from './domain/errors.js';

// Half of a start is compiling what it imports. Node 20 cannot keep what it compiled.
module.enableCompileCache?.();

// The AWS SDK says on every start that it will want a newer Node one day.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const KINDS = ['delta', 'historical', 'backup', 'bootstrap'] as const;

interface ServiceOptions {
  readonly url?: string;
  readonly tokenFile?: string;
}

const program = new Command('mlflow-monitor').description(
  'Watches every metric that teams log to MLflow and shows what is red, since when and why',
);
program
  .command('serve', { isDefault: true })
  .description('run the service')
  .action(async () => {
    const settings = loadSettings(process.env);
    const { serve } = await import('./cli/serve.js');
    await serve(settings);
  });
program
  .command('run')
  .description('run one pipeline run to its end in this process')
  .addArgument(new Argument('<kind>').choices(KINDS))
  .action(async (kind: (typeof KINDS)[number]) => {
    const settings = loadSettings(process.env);
    const { runOnce } = await import('./cli/run.js');
    if (!(await runOnce(settings, kind))) process.exitCode = 1;
  });
program
  .command('demo')
  .description('watch a made-up company, to see what this is: nothing else is needed')
  .option('--seed <number>', 'another number is another company', wholeNumber(2 ** 32), 1)
  .option('--port <number>', 'port of the page; 0 takes a free one', wholeNumber(65_535), 3000)
  .option('--folder <path>', 'where the demo keeps its data', './data-demo')
  .action(async (options: DemoOptions) => {
    const { demo } = await import('./cli/demo.js');
    await demo(options);
  });

function wholeNumber(max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${max}.`);
  };
}
const day = (text: string): string => {
  const parsed = backfillRequestSchema.shape.from.safeParse(text);
  if (!parsed.success) throw new InvalidArgumentError('It expects a day such as 2026-03-31.');
  return parsed.data;
};
program
  .command('backfill')
  .description('make the days from --from to --to, both included, equal to MLflow')
  .requiredOption('--from <day>', 'the first day, UTC', day)
  .requiredOption('--to <day>', 'the last day, UTC', day)
  .option('--url <url>', 'let the service at this address do it, and follow it there')
  .option('--token-file <file>', 'with --url: a file that holds the admin token; else ADMIN_TOKEN')
  .action(async ({ from, to, url, tokenFile }: Record<'from' | 'to', string> & ServiceOptions) => {
    const request = { from, to };
    const { backfillHere, backfillThere } = await import('./cli/backfill.js');
    const token = tokenFile ? readFileSync(tokenFile, 'utf8').trim() : process.env.ADMIN_TOKEN?.trim();
    const succeeded = url
      ? await backfillThere({ url, token }, request)
      : await backfillHere(loadSettings(process.env), request);
    if (!succeeded) process.exitCode = 1;
  });
program
  .command('validate')
  .description('look at every setting and connection, and say what to change')
  .action(async () => {
    const { validate } = await import('./cli/validate.js');
    if (!(await validate(process.env))) process.exitCode = 1;
  });
program
  .command('suggest')
  .description('suggest thresholds from the stored history, as a file to edit')
  .option('--out <file>', 'the file to write; else standard output')
  .action(async ({ out }: { out?: string }) => {
    const settings = loadSettings(process.env);
    const { suggest } = await import('./cli/suggest.js');
    await suggest(settings, out);
  });

try {
  await program.parseAsync();
  process.exit();
} catch (error) {
  const known = error instanceof SettingsError || error instanceof MonitorError;
  console.error(known ? error.message : error);
  process.exit(1);
}
