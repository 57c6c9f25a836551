// Builds the content of the image without a container engine and checks that it runs: the instructions of the Dockerfile,
// one after another, in a folder for each stage. Instructions that need the base image are listed, not run.
// Usage: node scripts/check-image.mjs [--sbom file]
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';

/** The user `node` of the base image. */
const USER = 1000;
/** MiB; the largest packages are DuckDB (90) and the embedded queue (25). A new dependency of this kind must not pass unnoticed. */
const MAX_MIB = 400;
const START_MS = 60_000;

const { values } = parseArgs({ options: { sbom: { type: 'string' } } });
const root = mkdtempSync(join(tmpdir(), 'image-'));
chmodSync(root, 0o755);
process.on('exit', () => rmSync(root, { recursive: true, force: true }));

/** Files that Git knows and the Dockerfile may copy: what `.dockerignore` lets through. */
const context = (path) =>
  execFileSync('git', ['ls-files', '-z', '--', path], { encoding: 'utf8' }).split('\0').filter(Boolean);

function copy(stage, stages, words) {
  const from = words[0].startsWith('--from=') ? stages.get(words.shift().slice('--from='.length)) : undefined;
  const to = words.pop();
  for (const source of words) {
    if (from) {
      cpSync(join(from.folder, source), join(stage.workdir, to), { recursive: true, verbatimSymlinks: true });
      continue;
    }
    for (const file of context(source)) {
      const isFolder = file !== source;
      const target = isFolder
        ? join(to, file.slice(source.length + 1))
        : to.endsWith('/')
          ? join(to, basename(file))
          : to;
      cpSync(file, join(stage.workdir, target), { recursive: true });
    }
  }
}

/** Runs the instructions. @returns the last stage */
function build() {
  const text = readFileSync('Dockerfile', 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ');
  const stages = new Map();
  let stage;
  for (const [, name, rest] of text.matchAll(/^([A-Z]+)\s+(.*)$/gm)) {
    const words = rest.trim().split(/\s+/);
    if (name === 'FROM') {
      stage = { folder: join(root, `${stages.size}`), workdir: '', env: {}, entrypoint: [], cmd: [] };
      stages.set(words[2] ?? '', stage);
    } else if (name === 'WORKDIR') {
      stage.workdir = join(stage.folder, rest.trim());
      mkdirSync(stage.workdir, { recursive: true });
    } else if (name === 'COPY') copy(stage, stages, words);
    else if (name === 'ENV')
      Object.assign(stage.env, Object.fromEntries(words.map((word) => word.split('='))));
    else if (name === 'ENTRYPOINT') stage.entrypoint = JSON.parse(rest);
    else if (name === 'CMD') stage.cmd = JSON.parse(rest);
    else if (name === 'RUN' && rest.startsWith('npm ')) {
      console.log(`RUN ${rest}`);
      // Packages that npm has are not requested again.
      const env = { ...process.env, npm_config_prefer_offline: 'true' };
      execFileSync('sh', ['-c', rest], { cwd: stage.workdir, stdio: ['ignore', 'ignore', 'inherit'], env });
    } else console.log(`not run, needs the base image: ${name} ${rest}`);
  }
  return stage;
}

/** Starts the service as the user of the image, who cannot write to its code, until it responds, and stops it. */
async function start({ workdir, env, entrypoint, cmd }) {
  const data = join(root, 'data');
  mkdirSync(data);
  const user = process.getuid?.() === 0 ? { uid: USER, gid: USER } : {};
  if (user.uid) execFileSync('chown', [`${USER}:${USER}`, data]);
  const [, ...program] = entrypoint;
  const settings = {
    STORAGE_DIR: data,
    PORT: '0',
    QUEUE_BACKEND: 'embedded',
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
  };
  const { PATH } = process.env;
  const service = spawn(process.execPath, [...program, ...cmd], {
    cwd: workdir,
    env: { PATH, HOME: data, TMPDIR: data, ...env, ...settings },
    stdio: ['ignore', 'pipe', 'inherit'],
    ...user,
  });
  let output = '';
  const url = await new Promise((resolve, reject) => {
    service.stdout.on('data', (chunk) => {
      output += chunk;
      const [, port] = /Page: http:\/\/[^"]*:(\d+)\//.exec(output) ?? [];
      if (port) resolve(`http://127.0.0.1:${port}`);
    });
    service.on('exit', () => reject(new Error(`The service exited:\n${output}`)));
    setTimeout(() => reject(new Error(`The service did not start:\n${output}`)), START_MS).unref();
  });
  for (const path of ['/', '/health/live', '/health/ready', '/metrics']) {
    const { status } = await fetch(url + path);
    if (status !== 200) throw new Error(`${path} responds with ${status}`);
  }
  const exited = new Promise((resolve) => service.removeAllListeners('exit').on('exit', resolve));
  service.kill('SIGTERM');
  const code = await exited;
  if (code !== 0) throw new Error(`The service exited with ${code} after SIGTERM`);
}

/** The packages of the image with their licences, from npm's bill of materials. @throws if npm omits one */
function billOfMaterials({ workdir }) {
  const { devDependencies, ...manifest } = JSON.parse(readFileSync('package.json', 'utf8'));
  // Not `--omit=dev`: npm 11 then also omits packages that are needed both in production and for development.
  writeFileSync(join(workdir, 'package.json'), JSON.stringify(manifest));
  const sbom = ['sbom', '--sbom-format=cyclonedx'];
  const text = execFileSync('npm', sbom, { cwd: workdir, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (values.sbom) writeFileSync(values.sbom, text);
  const { components } = JSON.parse(text);
  const listed = new Set(components.map(({ group, name }) => (group ? `${group}/${name}` : name)));
  const { packages } = JSON.parse(readFileSync(join(workdir, 'node_modules/.package-lock.json'), 'utf8'));
  const names = Object.keys(packages).map((path) => path.split('node_modules/').at(-1));
  const missing = names.filter((name) => !listed.has(name));
  if (missing.length > 0) throw new Error(`The bill of materials omits ${missing.join(', ')}`);
  return components;
}

const image = build();
const mib = Number(execFileSync('du', ['-sm', image.folder], { encoding: 'utf8' }).split('\t')[0]);
console.log(`${mib} MiB without the base image`);
if (mib > MAX_MIB) throw new Error(`The image has ${mib} MiB, at most ${MAX_MIB} are expected`);
await start(image);
console.log('starts as an unprivileged user, responds, and stops with 0');
const components = billOfMaterials(image);
const licences = new Map();
for (const { licenses = [] } of components) {
  const name =
    licenses.map(({ license, expression }) => license?.id ?? license?.name ?? expression).join(' ') ||
    'see package';
  licences.set(name, (licences.get(name) ?? 0) + 1);
}
console.log(
  `${components.length} packages: ${[...licences].map(([name, count]) => `${count} ${name}`).join(', ')}`,
);
