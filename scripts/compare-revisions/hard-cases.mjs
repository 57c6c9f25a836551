import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { dirname, join, resolve } from 'node:path';
import { startMlflow } from '../../test/independent/server.mjs';
import { readEverything } from './requests.mjs';
import { Scenario } from './scenario.mjs';

const SEEDING = resolve(import.meta.dirname, '../../test/independent');
/** As in the independent test: what happened before the first look is an outage for the next one. */
const BEHIND = 3 * 3_600_000;
/** More than the time within which the order of two answers is not known. */
const STEP = 60_000;

function mustRun(command, args) {
  return new Promise((done, fail) => {
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk;
      });
    }
    child.once('error', fail);
    child.once('close', (code) =>
      code === 0
        ? done(output)
        : fail(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output}`)),
    );
  });
}

/** Passes everything on to MLflow, and answers with the `Date` of the stopped clock: both builds observe at the same time. */
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

/** A real MLflow with all that is awkward, as `test/independent` seeds and changes it. */
export async function compareHardCases(report, folder, dists) {
  await mkdir(folder, { recursive: true });
  const mlflow = (await mustRun('sh', [join(SEEDING, 'venv.sh')])).trim().split('\n').at(-1);
  const python = join(dirname(mlflow), 'python');
  const server = await startMlflow(mlflow, folder);
  const scenario = await Scenario.open(report, 'MLflow', folder, dists);
  let proxy;
  try {
    await server.ready;
    proxy = await startProxy(server.uri, () => scenario.at);
    scenario.uri = proxy.uri;
    const where = ['--uri', server.uri, '--database', server.database];
    await mustRun(python, [join(SEEDING, 'seed.py'), ...where, '--out', folder]);
    const change = async (kind) => {
      await mustRun(python, [
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
