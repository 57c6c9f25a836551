// The tracking server of src/demo with the computed runs of bench/lib/runs.mjs. Calls: `start`, `add`, `remove`, `requests`.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { answerCalls } from '../lib/answer-calls.mjs';
import { EXPERIMENTS, firstAt, headOf, runIdOf, runOf } from '../lib/runs.mjs';

const load = (path) => import(pathToFileURL(join(process.env.DIST, path)).href);
const { TrackingServer } = await load('demo/tracking-server.js');
const { parseFilter } = await load('demo/run-filter.js');
const { jsonOf, runJson } = await load('demo/mlflow-json.js');

/** @type {Map<string, import('../lib/runs.mjs').Block>} */
const blocks = new Map();
let server;
let offset = 0;
/** Run ids are looked up only by deltas, so that the index of many runs is rarely built. */
let byId;

function indexOf(id) {
  if (!byId) {
    byId = new Map();
    for (const block of blocks.values())
      for (let i = 0; i < block.count; i++) byId.set(runIdOf(block, i), [block, i]);
  }
  return byId.get(id);
}

/** The runs that a search may return, without a look at those that start outside its span: [block, number] in any order. */
function* candidates(filter) {
  const list = /run_id IN \(([^)]*)\)/.exec(filter)?.[1];
  if (list !== undefined) {
    for (const [, id] of list.matchAll(/'([^']*)'/g)) {
      const found = indexOf(id);
      if (found) yield found;
    }
    return;
  }
  const bound = (pattern, otherwise) => Number(pattern.exec(filter)?.[1] ?? otherwise);
  const from = bound(/start_time >= (\d+)/, 0);
  const to = bound(/start_time < (\d+)/, Number.MAX_SAFE_INTEGER);
  for (const block of blocks.values()) {
    if (filter.includes('status = ') && !block.never_ended) continue;
    const end = firstAt(block, to);
    for (let i = firstAt(block, from); i < end; i++) yield [block, i];
  }
}

function searchRuns({ filter = '', experiment_ids, max_results = 1000, page_token, order_by = [] }) {
  const skip = page_token ? Number(Buffer.from(page_token, 'base64')) : 0;
  const matches = parseFilter(filter);
  const experiments = new Set(experiment_ids);
  const found = [];
  for (const [block, i] of candidates(filter)) {
    const head = headOf(block, i);
    if (experiments.has(head.experiment_id) && matches(head)) found.push([head, block, i]);
    // One block is sorted already, and no page needs more.
    if (blocks.size === 1 && found.length > skip + max_results && / ASC/i.test(order_by[0] ?? '')) break;
  }
  found.sort(([a], [b]) => a.start_time - b.start_time || (a.run_id < b.run_id ? -1 : 1));
  const page = found.slice(skip, skip + max_results);
  const next = Buffer.from(String(skip + max_results)).toString('base64');
  return {
    ...(page.length > 0 ? { runs: page.map(([, block, i]) => runJson(runOf(block, i))) } : {}),
    ...(found.length > skip + max_results ? { next_page_token: next } : {}),
  };
}

/** The pages that were requested before, by request. */
const pages = new Map();

function pageOf(request, keepsPages) {
  const key = JSON.stringify(request);
  const page = pages.get(key) ?? jsonOf(searchRuns(request));
  if (keepsPages) pages.set(key, page);
  return page;
}

answerCalls({
  async start({ now, keepsPages }) {
    if (now !== undefined) offset = now - Date.now();
    server = await TrackingServer.start(() => Date.now() + offset);
    for (let i = 1; i <= EXPERIMENTS; i++) server.experiment(`experiment-${i}`);
    server.intercept = ({ path, body }) =>
      path === 'runs/search' ? { status: 200, body: pageOf(body, keepsPages) } : undefined;
    return server.uri;
  },
  add({ name, block }) {
    blocks.set(name, block);
    byId = undefined;
  },
  remove({ name }) {
    blocks.delete(name);
    byId = undefined;
  },
  /** Moves the clock to `now`, ms. */
  clock({ now }) {
    offset = now - Date.now();
  },
  requests: () => server.requests.splice(0).length,
});
