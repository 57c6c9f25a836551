/**
 * Sweeps the read API of the demo with requests that Schemathesis generates from the OpenAPI document: no error of the service,
 * no undocumented status or content type, every response as its schema says, and invalid parameters rejected.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';

const HERE = import.meta.dirname;
const MAIN = resolve(HERE, '../../dist/main.js');
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_schema_conformance',
  'negative_data_rejection',
];

const folder = await mkdtemp(join(tmpdir(), 'sweep-'));
const mlflow = execFileSync('sh', [join(HERE, 'venv.sh')], { encoding: 'utf8' }).trim();
const demo = spawn(process.execPath, [MAIN, 'demo', '--port', '0', '--folder', join(folder, 'data')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const url = await link(demo.stdout);
  const known = await knownNames(url);
  console.log(`known names: ${JSON.stringify(known)}`);
  // With names that exist, so that the requests find something, and with generated ones. Names that exist also replace the
  // invalid ones of the phase `coverage`, which would then be expected to be rejected.
  await sweep(url, 'known', 'examples,fuzzing', known);
  await sweep(url, 'generated', 'coverage,fuzzing', {});
} finally {
  demo.kill();
  await once(demo, 'exit');
  await rm(folder, { recursive: true, force: true });
}

/** The address in the output of the demo. */
async function link(output) {
  for await (const line of createInterface({ input: output })) {
    const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (found) return found;
  }
  throw new Error('The demo ended without a link');
}

async function knownNames(url) {
  const read = async (path, query) =>
    (await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query)}`)).json();
  let applications = [];
  // The demo prints its link after some seconds even if nothing is published yet.
  while (applications.length === 0) {
    await wait(500);
    ({ applications } = await read('applications', { limit: '1' }));
  }
  const { application } = applications[0];
  const { metrics } = await read('metrics', { application });
  const { runs } = await read('runs', { application, limit: '1' });
  return { application, metric: metrics[0].name, run_id: runs[0].run_id, day: runs[0].day };
}

/** @param parameters values that are not generated */
async function sweep(url, name, phases, parameters) {
  const lines = Object.entries(parameters).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const config = join(folder, `${name}.toml`);
  await writeFile(config, ['[parameters]', ...lines, ''].join('\n'));
  const options = [
    '--include-tag',
    'read',
    '--checks',
    CHECKS.join(','),
    '--seed',
    '1',
    '--max-examples',
    '25',
  ];
  const quiet = ['--suppress-health-check', 'all', '--warnings', 'off', '--max-failures', '5'];
  const program = join(dirname(mlflow), 'schemathesis');
  const child = spawn(
    program,
    ['--config-file', config, 'run', `${url}/docs/openapi.json`, '--phases', phases, ...options, ...quiet],
    { cwd: folder, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`The sweep with ${name} names found failures`);
}
