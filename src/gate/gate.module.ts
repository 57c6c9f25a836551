import { HttpModule, HttpService } from '@nestjs/axios';
import { Module } from '@nestjs/common';
import { CLOCK, type Clock, STOPPING } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { createMlflowClient } from '../ingestion/mlflow-client.js';
import { readRulebook } from '../state/rulebook.js';
import { readRunTimes } from '../state/run-times.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { createRules } from './gate-rules.js';
import { judgeNow } from './judge-now.js';
import { JUDGE_NOW, type JudgeNow, VerdictsController } from './verdicts.controller.js';

@Module({
  imports: [HttpModule],
  controllers: [VerdictsController],
  providers: [
    {
      provide: JUDGE_NOW,
      inject: [HttpService, SETTINGS, STOPPING, OBJECT_STORE, DUCK, CLOCK],
      useFactory: (
        http: HttpService,
        settings: Settings,
        stopping: AbortSignal,
        store: ObjectStore,
        duck: Duck,
        clock: Clock,
      ): JudgeNow => {
        // Someone waits for the response: an upstream that is down is reported at once, not after all retries.
        const client = createMlflowClient(http, settings, { stopping, maxRetries: 1 });
        const rulebook = createRules(http, settings, () => readRulebook(store), clock);
        const runTimes = () => readRunTimes(store);
        return (request) =>
          judgeNow({ client, duck, rulebook, runTimes }, request, 'the rulebook of the service');
      },
    },
  ],
})
export class GateModule {}
