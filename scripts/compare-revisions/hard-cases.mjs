import { mkdir } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { startMlflow } from '../../test/independent/server.mjs';
import { onEnd, runProgram } from './processes.mjs';
import { readEverything } from './requests.mjs';
import { Scenario } from './scenario.mjs';

const SEEDING = resolve(import.meta.dirname, '../../test/independent');
/** As in the independent test, the delta has three hours to catch up on. */
const BEHIND = 3 * 3_600_000;
/** More than `DATE_LAG_MS`, within which the order of two responses is unknown. */
const STEP = 60_000;

/** Forwards requests to MLflow and sets `Date` to the frozen time, so that both builds observe runs at the same time. */
async function startProxy(uri, clock) {
  const { hostname, port, host } = new URL(uri);
  const server = createServer((incoming, outgoing) => {
    const { method, url: path, headers } = incoming;
    const sent = request({ hostname, port, method, path, headers: { ...headers, host } }, (response) => {
      const date = new Date(clock()).toUTCString();
      outgoing.writeHead(response.statusCode ?? 502, { ...response.headers, date });
      response.pipe(outgoing);
    });
    sent.once('error', () => outgoing.destroy());
    incoming.pipe(sent);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    uri: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Monitors a real MLflow server that `test/independent` fills with awkward data and changes between pipeline runs. */
export async function compareHardCases(report, folder, dists) {
  await mkdir(folder, { recursive: true });
  const mlflow = (await runProgram('sh', [join(SEEDING, 'venv.sh')])).trim().split('\n').at(-1);
  const python = join(dirname(mlflow), 'python');
  const server = await startMlflow(mlflow, folder);
  onEnd(() => server.stop());
  const scenario = await Scenario.open(report, 'MLflow', folder, dists);
  let proxy;
  try {
    await server.ready;
    proxy = await startProxy(server.uri, () => scenario.at);
    scenario.uri = proxy.uri;
    const where = ['--uri', server.uri, '--database', server.database];
    await runProgram(python, [join(SEEDING, 'seed.py'), ...where, '--out', folder]);
    const change = async (kind) => {
      await runProgram(python, [
        join(SEEDING, 'change.py'),
        ...where,
        '--seeded',
        join(folder, 'seeded.json'),
        kind,
      ]);
      scenario.at = Math.max(Date.now(), scenario.at) + STEP;
    };
    const run = (kind) => scenario.run(kind, ['run', kind], { BATCH_SIZE: '50' });
    scenario.at = Date.now() - BEHIND;
    await run('bootstrap');
    for (const kind of ['delta', 'backup', 'historical']) {
      await change(kind);
      if (kind === 'historical') {
        scenario.catalog = 'catalog-later.json';
        await scenario.serve('a change of the catalog', readEverything);
      }
      await run(kind);
    }
    scenario.at += BEHIND;
    await scenario.serve('without workers', readEverything, { ROLES: 'api' });
  } finally {
    proxy?.close();
    await server.stop();
  }
}
