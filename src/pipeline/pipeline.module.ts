import { hostname } from 'node:os';
import { getQueueToken } from '@nestjs/bullmq';
import { Global, Logger, Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { CLOCK, type Clock } from '../config/runtime.js';
import { domainSettings, ruleSettings, SETTINGS, type Settings } from '../config/settings.js';
import { withLogFields } from '../observability/log-context.js';
import { lineOf, RepeatedErrors } from '../observability/repeated-errors.js';
import { SHARED_PREFIX } from '../queue/queue-connection.js';
import { STAGE_QUEUES } from '../queue/queue-names.js';
import { JudgingSettings } from '../state/judging-settings.js';
import { Processes } from '../state/processes.js';
import { OWN_VERSIONS, SUPPORTED_VERSIONS, type Versions } from '../state/versions.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { ENGINE, Engine, WAIT_MS } from './engine.js';

const DEFAULT_WAIT_MS = 30_000;
/** The context of the log lines, by what did not work. */
const LOG_CONTEXTS = { catalog: 'Catalog', queue: 'Queue', alerts: 'Alerts' };

/** Provides the engine to every module. */
@Global()
@Module({
  providers: [
    {
      provide: JudgingSettings,
      inject: [OBJECT_STORE, SETTINGS, CLOCK],
      useFactory: (store: ObjectStore, settings: Settings, clock: Clock) => {
        const log = new Logger('Settings');
        return new JudgingSettings({
          store,
          own: domainSettings(settings),
          ownRules: ruleSettings(settings),
          // A folder has one process: its settings count, as nobody else can have others.
          decides: settings.ROLES.includes('scheduler') || settings.S3_BUCKET === undefined,
          partitionFiles: settings.PARTITION_FILES,
          process: { host: hostname(), pid: process.pid },
          clock,
          log: (message) => log.log(message),
          warn: (message) => log.warn(message),
        });
      },
    },
    { provide: SUPPORTED_VERSIONS, useValue: OWN_VERSIONS },
    {
      provide: RepeatedErrors,
      inject: [CLOCK],
      useFactory: (clock: Clock) => {
        const logs = new Map(Object.entries(LOG_CONTEXTS).map(([name, text]) => [name, new Logger(text)]));
        const pipelineLog = new Logger('Pipeline');
        return new RepeatedErrors({
          clock,
          log: (error) => {
            const { message: _, advice: __, code, ...fields } = error;
            const write = () => (logs.get(error.upstream) ?? pipelineLog).warn(lineOf(error));
            // A line for several occurrences belongs to no single job.
            withLogFields({ ...fields, error_code: code }, write, error.count === 1);
          },
        });
      },
    },
    {
      provide: Processes,
      inject: [OBJECT_STORE, SETTINGS, CLOCK, SUPPORTED_VERSIONS, RepeatedErrors],
      useFactory: (
        store: ObjectStore,
        settings: Settings,
        clock: Clock,
        supported: Versions,
        errors: RepeatedErrors,
      ) =>
        new Processes({
          errors: () => errors.current(),
          log: (message) => new Logger('Versions').log(message),
          store,
          supported,
          process: { host: hostname(), pid: process.pid, roles: settings.ROLES },
          isShared: settings.S3_BUCKET !== undefined,
          clock,
        }),
    },
    { provide: WAIT_MS, useValue: DEFAULT_WAIT_MS },
    {
      provide: ENGINE,
      inject: [
        OBJECT_STORE,
        SETTINGS,
        CLOCK,
        WAIT_MS,
        RepeatedErrors,
        ...STAGE_QUEUES.map((name) => getQueueToken(name)),
      ],
      useFactory: (
        store: ObjectStore,
        settings: Settings,
        clock: Clock,
        waitMs: number,
        errors: RepeatedErrors,
        ingestion: Queue,
        enrichment: Queue,
        aggregation: Queue,
      ) => {
        const queues = { ingestion, enrichment, aggregation };
        // Without a listener BullMQ prints errors. The queue connection logs outages, and failed calls reject.
        for (const queue of Object.values(queues)) queue.on('error', () => undefined);
        return new Engine({
          store,
          queues,
          queuePrefix: ingestion.opts.prefix ?? SHARED_PREFIX,
          clock,
          stageAttempts: settings.STAGE_TRIES,
          waitMs,
          backfillConcurrency: settings.BACKFILL_CONCURRENCY,
          log: new Logger('Pipeline'),
          errors,
        });
      },
    },
  ],
  exports: [ENGINE, JudgingSettings, SUPPORTED_VERSIONS, Processes],
})
export class PipelineModule {}
