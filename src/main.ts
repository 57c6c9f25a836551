#!/usr/bin/env node
import 'reflect-metadata';
import { Argument, Command } from 'commander';
import { runOnce } from './cli/run.js';
import { serve } from './cli/serve.js';
import { loadSettings, SettingsError } from './config/settings.js';
import { MonitorError } from './domain/errors.js';

// The AWS SDK says on every start that it will want a newer Node one day.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

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

try {
  await program.parseAsync();
  process.exit();
} catch (error) {
  const known = error instanceof SettingsError || error instanceof MonitorError;
  console.error(known ? error.message : error);
  process.exit(1);
}
