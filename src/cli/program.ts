import { Argument, Command, CommanderError, Option } from 'commander';
import type { RebuildRequest } from '../admin/rebuilds.js';
import { type Environment, loadSettings } from '../config/settings.js';
import { errorMessage, MonitorError } from '../domain/errors.js';
import { escapeLines } from '../domain/text.js';
import { DERIVED_DATASETS } from '../storage/keys.js';
import { addAdminCommands, adminTokenFor } from './admin-commands.js';
import { day, duration, percent, readText, wholeNumber } from './arguments.js';
import type { CheckFormat } from './check/report.js';
import type { DemoOptions } from './demo.js';
import { addQualityCommands } from './quality-commands.js';
import type { ReplayOptions } from './replay-alerts.js';
import type { SuggestOptions } from './suggest.js';
import { unfollowed } from './unfollowed.js';

const KINDS = ['delta', 'historical', 'backup', 'bootstrap'] as const;

interface ServiceOptions {
  readonly url?: string;
  /** The contents of the file. */
  readonly tokenFile?: string;
}

interface CheckCommandOptions extends ServiceOptions {
  readonly run?: string;
  readonly model?: string;
  readonly application?: string;
  readonly baseline?: string;
  readonly maxDrop?: number;
  readonly minCoverage: number;
  readonly failOn: 'critical' | 'warning';
  /** ms */
  readonly wait: number;
  readonly format: CheckFormat;
}

/**
 * Runs one command to its end. It prints to the streams of this process, also its errors: it never throws.
 * @param args without `node` and the file
 * @param env the settings; the AWS SDK reads its credentials from `process.env`
 * @returns the exit code
 */
export async function runCommand(args: readonly string[], env: Environment): Promise<number> {
  let code = 0;
  const program = createProgram(env, (failed = 1) => {
    code = failed;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return code;
  } catch (error) {
    // Commander has already printed the error or the help.
    if (error instanceof CommanderError) return error.exitCode;
    console.error(error instanceof MonitorError ? escapeLines(errorMessage(error)) : error);
    return 1;
  }
}

/** @param fail called by a command that ends without an exception but did not succeed */
function createProgram(env: Environment, fail: (code?: number) => void): Command {
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
      await serve(settings, unfollowed(env, settings));
    });
  program
    .command('run')
    .description('execute one pipeline run in this process, then exit')
    .addArgument(new Argument('<kind>').choices(KINDS))
    .action(async (kind: (typeof KINDS)[number]) => {
      const settings = loadSettings(env);
      const { runOnce } = await import('./run.js');
      if (!(await runOnce(settings, kind, undefined, unfollowed(env, settings)))) fail();
    });
  const alerts = program.command('alerts').description('deliver alerts, and see what would alert');
  alerts
    .command('test')
    .description('send a test message to every channel of a route')
    .argument('<route>', 'a route of alerts.yaml; without one: slack, webhook or email')
    .action(async (route: string) => {
      // In production a service must have a queue. This command needs none.
      const settings = loadSettings({ ...env, NODE_ENV: undefined });
      const { readPolicyFiles } = await import('../alerts/alert-policies.js');
      const { testRoute } = await import('./test-route.js');
      const { ALERTS_FILE: alertsFile, OWNERS_FILE: ownersFile } = settings;
      const files = await readPolicyFiles({ alertsFile, ownersFile });
      fail(await testRoute(settings, env, files.alerts, route, Date.now()));
    });
  alerts
    .command('replay')
    .description(
      'show what would have alerted on the stored history by ALERTS_FILE; sends and changes nothing',
    )
    .requiredOption('--from <day>', 'first day (UTC)', day)
    .requiredOption('--to <day>', 'last day (UTC)', day)
    .addOption(
      new Option('--step <time>', 'the time between two evaluations, such as 5m')
        .argParser(duration)
        .default(3_600_000, '1h'),
    )
    .option('--json', 'print JSON', false)
    .action(async (options: ReplayOptions) => {
      const settings = loadSettings({ ...env, NODE_ENV: undefined });
      const { replay } = await import('./replay-alerts.js');
      await replay(settings, options, Date.now());
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
      if (url) {
        const token = adminTokenFor(url, tokenFile, env);
        if (!(await backfillRemotely({ url, token }, days))) fail();
        return;
      }
      const settings = loadSettings(env);
      if (!(await backfillLocally(settings, days, unfollowed(env, settings)))) fail();
    });
  program
    .command('rebuild')
    .description(
      'write a dataset again from the stored facts, for the days from --from to --to (inclusive), also where nothing changed',
    )
    .addOption(new Option('--dataset <name>', 'the dataset').choices(DERIVED_DATASETS).makeOptionMandatory())
    .requiredOption('--from <day>', 'first day (UTC)', day)
    .requiredOption('--to <day>', 'last day (UTC)', day)
    .option('--url <url>', 'send the rebuild to the service at this address and show its progress')
    .option('--token-file <file>', 'with --url: file with the admin token (default: ADMIN_TOKEN)', readText)
    .action(async ({ url, tokenFile, ...request }: RebuildRequest & ServiceOptions) => {
      const { rebuildLocally, rebuildRemotely } = await import('./rebuild.js');
      const succeeded = url
        ? await rebuildRemotely({ url, token: adminTokenFor(url, tokenFile, env) }, request)
        : await rebuildLocally(loadSettings(env), request);
      if (!succeeded) fail();
    });
  program
    .command('validate')
    .description('check all settings and connections and show what to change')
    .action(async () => {
      const { validate } = await import('./validate.js');
      if (!(await validate(env))) fail();
    });
  addCheck(program, env, fail);
  addQualityCommands(program, env, fail);
  addAdminCommands(program, env);
  program
    .command('suggest')
    .description('suggest thresholds from the stored history, as a catalog file to edit')
    .addOption(
      new Option(
        '--method <method>',
        'quantiles: 1 % and 5 % of the values are worse; mad: 5 and 3 robust standard deviations from the median',
      )
        .choices(['quantiles', 'mad'])
        .default('quantiles'),
    )
    .option('--out <file>', 'file to write (default: standard output)')
    .addOption(
      new Option(
        '--apply',
        'add the rows to the catalog file of the settings, for metrics without limits, and print the diff',
      ).conflicts('out'),
    )
    .action(async (options: SuggestOptions) => {
      const settings = loadSettings(env);
      const { suggest } = await import('./suggest.js');
      await suggest(settings, options);
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

/** `check` exits with 3 for every error: 1 and 2 are verdicts. */
function addCheck(program: Command, env: Environment, fail: (code?: number) => void): void {
  program
    .command('check')
    .description(
      'judge a run, a model version or an application now; exits with 0 pass, 1 fail, 2 not enough evidence, 3 error',
    )
    .exitOverride((error) => {
      throw new CommanderError(error.exitCode === 0 ? 0 : 3, error.code, error.message);
    })
    .option('--run <id>', 'an MLflow run')
    .option('--model <name>', 'a registered model: NAME (its newest version), NAME@ALIAS or NAME/VERSION')
    .option('--application <name>', 'the newest run of an application that counts')
    .option('--baseline <run>', 'compare with a run, a model version, or an alias of --model')
    .option(
      '--max-drop <percent>',
      'fail if a metric is worse than the baseline by more, such as 2%',
      percent,
    )
    .option(
      '--min-coverage <percent>',
      'the share of metrics that must have a threshold, such as 50%',
      percent,
      0,
    )
    .addOption(
      new Option('--fail-on <status>', 'the status from which a metric fails')
        .choices(['critical', 'warning'])
        .default('critical'),
    )
    .option('--wait <time>', 'wait for the end of the run, such as 30s, 10m or 2h', duration, 0)
    .addOption(
      new Option('--format <format>', 'how to print the verdict')
        .choices(['text', 'json', 'junit', 'github'])
        .default('text'),
    )
    .option(
      '--url <url>',
      'ask the service at this address (default: the store, else the catalog of the settings)',
    )
    .option(
      '--token-file <file>',
      'with --url: file with a token for a proxy with a login (default: VIEWER_TOKEN)',
      readText,
    )
    .action(async (options: CheckCommandOptions) => {
      try {
        const { check } = await import('./check.js');
        const { url, tokenFile } = options;
        // In production a service must have a queue. This command needs none.
        const source = url
          ? { url, token: tokenFile ?? env.VIEWER_TOKEN?.trim() }
          : loadSettings({ ...env, NODE_ENV: undefined });
        fail(
          await check(source, {
            request: {
              run: options.run,
              model: options.model,
              application: options.application,
              baseline: options.baseline,
              max_drop_percent: options.maxDrop,
              min_coverage_percent: options.minCoverage,
              fail_on: options.failOn,
            },
            waitMs: options.wait,
            format: options.format,
          }),
        );
      } catch (error) {
        console.error(`ERROR: ${escapeLines(errorMessage(error))}`);
        fail(3);
      }
    });
}
