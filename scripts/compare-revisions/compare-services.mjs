import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { compareJson, inAnswers } from './compare-json.mjs';
import { comparableMetrics } from './compare-metrics.mjs';
import { readLog } from './logs.mjs';
import { withoutPlace, withoutRandom } from './normalise.mjs';
import { request, startService, TOKEN } from './processes.mjs';

/** Headers of which only the presence is compared. */
const ANY_VALUE = new Set(['date', 'content-length', 'etag', 'last-modified']);
const QUIET_MS = 120_000;
/** Readiness probes are cached for 1 s. */
const SETTLE_MS = 1_500;

/** A response as an object that `compareJson` takes. */
function comparable({ status, headers, body }, place) {
  const type = `${headers['content-type']}`;
  const text = withoutRandom(withoutPlace(body.toString('utf8'), place));
  const kept = Object.entries(headers).map(([name, value]) => [
    name,
    ANY_VALUE.has(name) ? 'any' : withoutPlace(String(value), place),
  ]);
  return { status, headers: Object.fromEntries(kept), body: bodyOf(type, text, headers) };
}

function bodyOf(type, text, headers) {
  // The uncompressed response is compared as well.
  if (text === '' || headers['content-encoding']) return null;
  if (/json/.test(type)) return JSON.parse(text);
  if (/version=0\.0\.4/.test(type)) return comparableMetrics(text);
  // Pages contain texts for people and the hashed names of their files.
  if (/html/.test(type)) return 'a page';
  return { detail: text };
}

/** Waits until no pipeline run of the store is unfinished. */
async function untilQuiet(folder) {
  const kinds = join(folder, 'store', '_state', 'kinds');
  for (const limit = Date.now() + QUIET_MS; Date.now() < limit; await wait(200)) {
    const files = await readdir(kinds);
    const states = await Promise.all(
      files.map(async (file) => JSON.parse(await readFile(join(kinds, file)))),
    );
    if (states.every(({ active }) => active.length === 0)) return wait(SETTLE_MS);
  }
  throw new Error(`The pipeline runs in ${folder} did not end`);
}

/** Sends requests to one service and records the responses. */
class Visit {
  answers = new Map();

  constructor(side, port) {
    Object.assign(this, { side, port, place: { ...side, port } });
  }

  /**
   * Sends a request and records its response under `name`, as an admin unless `headers` has `authorization`.
   * @returns the response, with its body parsed if it is JSON
   */
  async ask(name, path, { headers = {}, json, ...more } = {}) {
    const sent = {
      authorization: `Bearer ${TOKEN}`,
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    const body = json === undefined ? more.body : JSON.stringify(json);
    const answer = await request(this.port, { path, ...more, headers: sent, body });
    this.answers.set(name, comparable(answer, this.place));
    const isJson = /json/.test(`${answer.headers['content-type']}`) && !answer.headers['content-encoding'];
    return {
      ...answer,
      json: isJson && answer.body.length > 0 ? JSON.parse(answer.body.toString()) : undefined,
    };
  }

  /** Records another value to compare. */
  keep(name, document) {
    this.answers.set(name, document);
  }

  quiet() {
    return untilQuiet(this.side.folder);
  }
}

async function visit(side, script, options) {
  const service = await startService(side, options);
  const visitor = new Visit(side, service.port);
  let code;
  try {
    await script(visitor);
  } finally {
    code = await service.stop();
  }
  visitor.keep('exit code after SIGTERM', code);
  return {
    answers: visitor.answers,
    log: readLog(`${service.output.stdout}\n${service.output.stderr}`, visitor.place),
  };
}

/** @param {(visit: Visit) => Promise<void>} script */
export async function compareServices({ report, name, sides }, step, script, options) {
  const [before, after] = await Promise.all(sides.map((side) => visit(side, script, options)));
  const where = `${name}, ${step}`;
  for (const asked of new Set([...before.answers.keys(), ...after.answers.keys()])) {
    report.counts.answers++;
    const list = compareJson(before.answers.get(asked), after.answers.get(asked), inAnswers);
    report.found(`REST: ${asked}`, where, list);
  }
  report.found('fields of log lines', where, compareJson(before.log.fields, after.log.fields));
  report.lines(`${where}: log`, before.log.messages, after.log.messages);
}
