import { hostname } from 'node:os';
import { getQueueToken } from '@nestjs/bullmq';
import { Logger, type Provider } from '@nestjs/common';
import { CLOCK, type Clock } from '../config/runtime.js';
import { RULES_VERSION, SCHEMA_VERSION, SETTINGS, type Settings } from '../config/settings.js';
import { platformFactsReader } from '../dashboard/dashboard.module.js';
import { PlatformFactsReader } from '../dashboard/platform-facts.js';
import { ALERTS_VERSION } from '../domain/alerts/policy.js';
import { AlertChain } from '../state/alerts/evaluations.js';
import { statusOptions } from '../state/service-status.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { ALERT_WATCHES, AlertEvaluationService, PROBED_QUEUE } from './alert-evaluation.service.js';
import { AlertEvaluator } from './alert-evaluator.js';
import { AlertPolicies } from './alert-policies.js';
import { MeasurementLoader } from './load-measurements.js';
import { Watch, type Watches } from './measure-services.js';
import { TransitionPublisher } from './transition-publisher.js';

/** What evaluates alerts, in processes with the role `scheduler`. */
export const EVALUATION_PROVIDERS: Provider[] = [
  {
    provide: AlertChain,
    inject: [OBJECT_STORE],
    useFactory: (store: ObjectStore) => new AlertChain(store),
  },
  {
    provide: AlertPolicies,
    inject: [OBJECT_STORE, SETTINGS, CLOCK],
    useFactory: (store: ObjectStore, settings: Settings, clock: Clock) =>
      new AlertPolicies({
        store,
        alertsFile: settings.ALERTS_FILE,
        ownersFile: settings.OWNERS_FILE,
        process: { host: hostname(), pid: process.pid },
        clock,
        log: new Logger('Alerts'),
      }),
  },
  { provide: ALERT_WATCHES, useFactory: (): Watches => ({ mlflow: new Watch(), queue: new Watch() }) },
  { provide: PROBED_QUEUE, useExisting: getQueueToken('ingestion') },
  {
    provide: MeasurementLoader,
    inject: [{ token: PlatformFactsReader, optional: true }, OBJECT_STORE, DUCK, SETTINGS],
    // A process with the page shares what it has read.
    useFactory: (
      shared: PlatformFactsReader | undefined,
      store: ObjectStore,
      duck: Duck,
      settings: Settings,
    ) => new MeasurementLoader(shared ?? platformFactsReader(store, duck, settings)),
  },
  {
    provide: AlertEvaluator,
    inject: [OBJECT_STORE, AlertChain, AlertPolicies, MeasurementLoader, ALERT_WATCHES, SETTINGS, CLOCK],
    useFactory: (
      store: ObjectStore,
      chain: AlertChain,
      policies: AlertPolicies,
      measurements: MeasurementLoader,
      watches: Watches,
      settings: Settings,
      clock: Clock,
    ) =>
      new AlertEvaluator({
        ...statusOptions(settings),
        store,
        chain,
        policies,
        measurements,
        watches,
        software: `rules ${RULES_VERSION}, schema ${SCHEMA_VERSION}, alerts ${ALERTS_VERSION}`,
        clock,
      }),
  },
  {
    provide: TransitionPublisher,
    inject: [OBJECT_STORE, DUCK, AlertChain, CLOCK],
    useFactory: (store: ObjectStore, duck: Duck, chain: AlertChain, clock: Clock) =>
      new TransitionPublisher(store, duck, chain, clock),
  },
  AlertEvaluationService,
];
