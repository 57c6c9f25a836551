import { Commands } from './commands.js';

let commands: Commands;
beforeEach(async () => {
  commands = await Commands.open();
});
afterEach(() => commands.close());

const AUTH = { MLFLOW_TRACKING_AUTH: 'kubernetes' };
const SAID = 'MLFLOW_TRACKING_AUTH is not followed. Plugins of MLflow are not run.';

it.each([
  ['run', 'delta'],
  ['backfill', '--from', '2026-02-01', '--to', '2026-02-01'],
])('%s names the variables of MLflow that are set and not followed', async (...args) => {
  expect((await commands.run(args, AUTH)).out).toContain(SAID);
  expect((await commands.run(args)).out).not.toContain('is not followed');
});
