// Enriches and aggregates stored pages with the built service's stage handlers, in the order and with the concurrency of its
// queues, but without their jobs and markers.
//   node engine.mjs <file: JSON, { slices: [{ id, from, pages }], now }>       settings: environment variables
// Prints JSON: seconds, CPU seconds of all threads without the start of the process, peak memory in MB, rows.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { usage } from '../lib/usage-at-exit.mjs';

const load = (path) => import(pathToFileURL(join(process.env.DIST, path)).href);
const { loadSettings } = await load('config/settings.js');
const { openResources } = await load('resources.js');
const { AppModule } = await load('app.module.js');
const { EnrichmentProcessor } = await load('enrichment/enrichment.processor.js');
const { AggregationProcessor } = await load('aggregation/aggregation.processor.js');
const { planSchema, fetchResultSchema } = await load('pipeline/stage-contracts.js');
const { mergeExperiments } = await load('state/experiments.js');

const { slices, now, experiments } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
Logger.overrideLogger(['error', 'warn']);
const settings = loadSettings({ ...process.env, ROLES: 'worker' });
const resources = await openResources(settings, () => now);
const app = await NestFactory.createApplicationContext(AppModule.register(resources, false), {
  logger: false,
  abortOnError: false,
});
await mergeExperiments(resources.store, experiments, now);
const enrichment = app.get(EnrichmentProcessor, { strict: false }).handlers;
const aggregation = app.get(AggregationProcessor, { strict: false }).handlers;

const day = 86_400_000;
// The schemas add what the build needs besides.
const plan = planSchema.parse({
  from: slices[0].from,
  to: now,
  chunks: [
    {
      experiment_ids: experiments.map(({ experiment_id }) => experiment_id),
      from: slices[0].from,
      sweep: false,
      observed_at: now,
    },
  ],
  slices: slices.map(({ id, from }) => ({
    id,
    chunk: 0,
    from,
    to: from + day,
    open_end: false,
    last: false,
  })),
  open: [],
  page_size: 1000,
});
const record = { id: 'historical-1', kind: 'historical', window: null, status: 'active', created_at: now };
const results = new Map(
  slices.map(({ id, pages }) => {
    const answered = plan.chunks[0].experiment_ids;
    const bytes = pages.reduce((sum, page) => sum + page.bytes, 0);
    return [`${id} fetch`, fetchResultSchema.parse({ pages, gone: [], answered, refused: [], bytes })];
  }),
);
const contextOf = (slice) => ({
  record,
  plan,
  slice,
  heartbeat: () => undefined,
  isUnit: false,
  result: async (id, stage) => results.get(`${id} ${stage}`),
  results: async (stage) => plan.slices.map(({ id }) => results.get(`${id} ${stage}`)),
});

const before = usage();
const start = performance.now();
const waiting = [...plan.slices];
/** As in the service, a day is forecast and aggregated after the days before it, and `AGGREGATION_CONCURRENCY` is 1. */
const enriched = new Set();
let next = 0;
let aggregated = Promise.resolve();
const worker = async () => {
  for (let slice = waiting.shift(); slice; slice = waiting.shift()) {
    const context = contextOf(slice);
    results.set(`${slice.id} enrich`, await enrichment.enrich(context));
    enriched.add(slice);
    for (; enriched.has(plan.slices[next]); next++) {
      const ready = contextOf(plan.slices[next]);
      aggregated = aggregated
        .then(() => aggregation.forecast(ready))
        .then(() => aggregation.aggregate(ready));
    }
  }
};
await Promise.all(Array.from({ length: settings.ENRICHMENT_CONCURRENCY }, worker));
await aggregated;
const whole = contextOf({ id: 'all', chunk: 0, from: plan.from, to: now, open_end: false, last: false });
for (const unit of (await aggregation['select-forecast'](whole)).units)
  await aggregation.forecast({ ...whole, isUnit: true, unit });
const { units } = await aggregation['select-rebuild'](whole);
for (const unit of units) await aggregation.rebuild({ ...whole, unit });
const seconds = (performance.now() - start) / 1000;
const after = usage();
console.log(JSON.stringify({ seconds, cpu: after.cpu - before.cpu, memory: after.memory }));
await app.close();
await resources.close();
