import { get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { request } from './processes.mjs';

const BACKFILLS = '/api/v1/admin/backfills';
/** The longest wait for an event. */
const EVENT_MS = 30_000;

const MOST_PROBES = 30;

/** On a busy machine a probe may time out, which leaves out what it would have found: waits until none does. */
async function untilProbed(visit) {
  const read = async (path) => (await request(visit.port, { path })).body.toString();
  await read('/api/v1/platform/current');
  for (let n = 0; n < MOST_PROBES; n++) {
    const [health, metrics] = [await read('/health'), await read('/metrics')];
    const isWhole = !/"(queues|active)":null/.test(health);
    if (isWhole && metrics.includes('platform_light{')) return;
    await wait(1_000);
  }
}

/** Reads the current state. */
export async function readEverything(visit) {
  await visit.quiet();
  await untilProbed(visit);
  for (const path of ['/health', '/metrics', '/health/live', '/health/ready', '/health/startup']) {
    await visit.ask(`GET ${path}`, path);
  }
  const current = await visit.ask('GET platform/current', '/api/v1/platform/current');
  const needs_attention = current.json?.needs_attention ?? [];
  for (const { application, metric, explanation } of needs_attention) {
    if (explanation) await visit.ask(`explanation of ${application}, ${metric?.name}`, explanation);
  }
  await visit.ask('GET platform/current, compressed', '/api/v1/platform/current', {
    headers: { 'accept-encoding': 'gzip' },
  });
  await visit.ask('GET platform/current, unchanged', '/api/v1/platform/current', {
    headers: { 'if-none-match': current.headers.etag },
  });
  await visit.ask('GET backfills', BACKFILLS);
}

/** Requests whose responses do not depend on the data: documents, pages and errors. */
export async function readFixed(visit) {
  const asked = [
    ['/docs/openapi.json'],
    ['/docs'],
    ['/'],
    ['/admin/queues'],
    ['/api/v1/nothing'],
    ['/nothing'],
    ['/api/v1/explanation'],
    ['/api/v1/explanation?day=2026-02-30&run_id=a&metric=b'],
    ['/api/v1/explanation?day=2026-02-03&run_id=a&metric=b'],
    [`${BACKFILLS}/backfill-999`],
    [`${BACKFILLS}/..%2f..%2fx`],
    ['/%zz'],
    ['/health/live', { method: 'HEAD' }],
    ['/health', { method: 'POST' }],
    ['/health', { headers: { host: 'elsewhere.example' } }],
    ['/health', { headers: { origin: 'https://elsewhere.example' } }],
    ['/health', { headers: { 'sec-fetch-site': 'cross-site' } }],
    [BACKFILLS, { headers: { 'x-forwarded-for': '10.0.0.1' } }],
  ];
  for (const [path, options = {}] of asked) {
    const name = `${options.method ?? 'GET'} ${path} ${JSON.stringify(options.headers ?? {})}`;
    await visit.ask(name, path, options);
  }
}

/** Opens the event stream of the service. How many events there are depends on the speed; where they lead to does not. */
async function openEvents(visit) {
  let received = '';
  const sent = get({ host: '127.0.0.1', port: visit.port, path: '/api/v1/events', agent: false });
  const response = await new Promise((done, fail) => sent.once('response', done).once('error', fail));
  response.setEncoding('utf8').on('data', (chunk) => {
    received += chunk;
  });
  response.on('error', () => undefined);
  const changes = () =>
    received.split('\n\n').flatMap((frame) => {
      const data = /^event: changed$/m.test(frame) && /^data: (.*)$/m.exec(frame)?.[1];
      return data ? [JSON.parse(data)] : [];
    });
  // Its view is the one that the first event is compared with.
  await visit.ask('GET platform/current, before the events', '/api/v1/platform/current');
  return {
    /** Waits for the event with so many unfinished runs, and records it together with all finished runs. */
    async record(name, unfinished) {
      const limit = Date.now() + EVENT_MS;
      while (changes().at(-1)?.progress.length !== unfinished && Date.now() < limit) await wait(100);
      visit.keep(name, { ...changes().at(-1), finished: changes().flatMap(({ finished }) => finished) });
    },
    close: () => sent.destroy(),
  };
}

/** Creates, lists and cancels backfills. Needs a service without workers, so that the backfills stay active. */
export const writeBackfills = (days) => async (visit) => {
  const { from, to, future } = days;
  const post = (name, json, more = {}) =>
    visit.ask(`POST ${name}`, BACKFILLS, { method: 'POST', json, ...more });
  const remove = (name, id) => visit.ask(`DELETE ${name}`, `${BACKFILLS}/${id}`, { method: 'DELETE' });
  const events = await openEvents(visit);

  await post('no JSON', undefined, { headers: { 'content-type': 'application/json' }, body: '{' });
  await post('text', undefined, { headers: { 'content-type': 'text/plain' }, body: 'x' });
  await post('nothing', {});
  await post('wrong', { from: 'x', to: 1, more: true });
  await post('backwards', { from: to, to: from });
  await post('future', { from, to: future });
  await post('too long', { from: '1990-01-01', to });
  await post('foreign', { from, to }, { headers: { origin: 'https://elsewhere.example' } });
  const first = (await post('first', { from, to })).json?.id;
  await post('first again', { from, to });
  const second = (await post('second', { from: to, to })).json?.id;
  await events.record('event after two backfills', 2);
  await visit.ask('GET backfills, two', BACKFILLS);
  for (const id of [first, second]) await visit.ask(`GET backfill ${id}`, `${BACKFILLS}/${id}`);
  await visit.ask('GET platform/current, two backfills', '/api/v1/platform/current');
  await remove('first', first);
  await remove('first again', first);
  await events.record('event after the first is cancelled', 1);
  await visit.ask(`GET backfill ${second}, its turn`, `${BACKFILLS}/${second}`);
  await remove('second', second);
  await remove('finished', 'backfill-1');
  await remove('unknown', 'backfill-999');
  await remove('no id', 'x');
  await visit.ask('GET backfills, cancelled', BACKFILLS);
  await events.record('event after both are cancelled', 0);
  events.close();
};

/** Requests with and without an admin token. */
export const tryTokens = (token) => async (visit) => {
  for (const [name, authorization] of [
    ['none', ''],
    ['wrong', 'Bearer wrong'],
    ['bearer', `Bearer ${token}`],
  ]) {
    const headers = { authorization };
    for (const path of [BACKFILLS, '/admin/queues', '/health/live'])
      await visit.ask(`token ${name}: ${path}`, path, { headers });
    await visit.ask(`token ${name}: DELETE`, `${BACKFILLS}/backfill-1`, { method: 'DELETE', headers });
  }
};
