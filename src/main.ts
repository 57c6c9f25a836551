#!/usr/bin/env node
import 'reflect-metadata';
import { Argument, Command, InvalidArgumentError } from 'commander';
import { type DemoOptions, demo } from './cli/demo.js';
import { runOnce } from './cli/run.js';
import { serve } from './cli/serve.js';
import { loadSettings, SettingsError } from './config/settings.js';
import { MonitorError } from './domain/errors.js';

// The AWS SDK says on every start that it will want a newer Node one day.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= '1';

const KINDS = ['delta', 'historical', 'backup', 'bootstrap'] as const;

const program = new Command('mlflow-monitor').description(
  'Watches every metric that teams log to MLflow and shows what is red, since when and why',
);
program
  .command('serve', { isDefault: true })
  .description('run the service')
  .action(() => serve(loadSettings(process.env)));
program
  .command('run')
  .description('run one pipeline run to its end in this process')
  .addArgument(new Argument('<kind>').choices(KINDS))
  .action(async (kind: (typeof KINDS)[number]) => {
    if (!(await runOnce(loadSettings(process.env), kind))) process.exitCode = 1;
  });
program
  .command('demo')
  .description('watch a made-up company, to see what this is: nothing else is needed')
  .option('--seed <number>', 'another number is another company', wholeNumber(2 ** 32), 1)
  .option('--port <number>', 'port of the page; 0 takes a free one', wholeNumber(65_535), 3000)
  .option('--folder <path>', 'where the demo keeps its data', './data-demo')
  .action((options: DemoOptions) => demo(options));

function wholeNumber(max: number) {
  return (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from 0 to ${max}.`);
  };
}

try {
  await program.parseAsync();
  process.exit();
} catch (error) {
  const known = error instanceof SettingsError || error instanceof MonitorError;
  console.error(known ? error.message : error);
  process.exit(1);
}
