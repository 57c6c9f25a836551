import { parse } from 'yaml';
import { compareJson } from './compare-json.mjs';
import { withoutDurations, withoutPlace, withoutRandom } from './normalise.mjs';
import { runCommand } from './processes.mjs';

const UNREACHABLE = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' };

/** Commands that change no store. `env`: settings in addition to those of the scenario; `null` runs without any settings. */
const COMMANDS = [
  ['--help'],
  ...['serve', 'run', 'demo', 'backfill', 'validate', 'suggest'].map((command) => [command, '--help']),
  ['unknown'],
  ['run'],
  ['run', 'unknown'],
  ['demo', '--seed', 'x'],
  ['backfill', '--from', '2026-02-30', '--to', '2026-03-01'],
  ['backfill', '--from', '2999-01-01', '--to', '2999-01-01'],
  ['backfill', '--from', '2026-03-01', '--to', '2026-03-01', '--url', 'http://127.0.0.1:9'],
  ['validate'],
  ['suggest'],
].map((args) => ({ args, env: {} }));
COMMANDS.push(
  { args: ['validate'], env: null },
  { args: ['serve'], env: null },
  {
    args: ['serve'],
    env: { TIMEOUT: 'x', BATCH_SIZE: '1', MAX_RESULTS_PER_PAGE: '2', S3_ENDPOINT: 'http://u:p@h' },
  },
  { args: ['validate'], env: { PASS_RATE_PERCENT: '101', REDIS_URL: 'x://u:p@h', NODE_ENV: 'production' } },
  { args: ['validate'], env: UNREACHABLE },
  { args: ['suggest'], env: { STORAGE_DIR: './nothing' } },
);

/** Names of options and of commands. */
const namesIn = (text) => text.match(/(?<![\w-])--?[a-z][a-z-]*|^ {2}[a-z]+/gm) ?? [];

/** @param {import('./scenario.mjs').Scenario} scenario */
export async function compareCommands(scenario) {
  const { report, name, sides, at } = scenario;
  for (const { args, env: more } of COMMANDS) {
    const settings = more === null ? {} : scenario.env(more);
    const [before, after] = await Promise.all(
      sides.map((side) => outcome(side, args, { at, env: settings })),
    );
    const where = `${name}: ${args.join(' ')} ${more === null ? '(no settings)' : JSON.stringify(more)}`;
    report.counts.commands++;
    const fields = ({ lines: _, ...kept }) => kept;
    report.found('commands', where, compareJson(fields(before), fields(after)));
    report.lines(where, before.lines, after.lines);
  }
}

async function outcome(side, args, options) {
  const { code, stdout, stderr } = await runCommand(side, args, options);
  const text = withoutDurations(withoutRandom(withoutPlace(`${stdout}${stderr}`, side)));
  return {
    code,
    prints: { stdout: stdout !== '', stderr: stderr !== '' },
    names: args.includes('--help') ? namesIn(stdout) : [],
    // Comments of the file are compared as lines.
    suggested: args[0] === 'suggest' && code === 0 && args.length === 1 ? parse(stdout) : null,
    lines: text.split('\n'),
  };
}
