import { readFileSync } from 'node:fs';
import {
  Controller,
  Get,
  Header,
  Inject,
  type OnModuleDestroy,
  Res,
  ServiceUnavailableException,
} from '@nestjs/common';
import type { Response } from 'express';
import type { Registry } from 'prom-client';
import { CLOCK, type Clock, STOPPING } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { ApiOkResponse, ApiOperation, ApiTags } from '../http/documentation.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { Processes } from '../state/processes.js';
import { statusOptions } from '../state/service-status.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { SingleWriterStore } from '../storage/single-writer.js';
import { type CurrentError, currentErrorsSchema, describeErrors } from './current-errors.js';
import { Dependencies } from './dependencies.js';
import { updateGauges } from './exposition.js';
import {
  describeHealth,
  type HealthReport,
  isCatalogConfigured,
  queueProblem,
  stallProblem,
  storeProblem,
} from './health-report.js';
import { createMetrics, type Metrics } from './metrics.js';
import { MetricsRecorder } from './metrics-recorder.js';
import { stallTimeoutMs } from './stall-timeout.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Probes, the health report and metrics, in every process regardless of its roles. */
@Controller()
export class HealthController implements OnModuleDestroy {
  private readonly registry: Registry;
  private readonly metrics: Metrics;
  private readonly recorder: MetricsRecorder;
  private readonly startedAt: number;
  private readonly stallTimeoutMs: number;
  private readonly singleWriter: boolean;

  constructor(
    @Inject(Dependencies) private readonly dependencies: Dependencies,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(STOPPING) private readonly stopping: AbortSignal,
    @Inject(Processes) private readonly processes: Processes,
  ) {
    const { registry, metrics } = createMetrics();
    this.registry = registry;
    this.metrics = metrics;
    this.recorder = new MetricsRecorder(metrics, engine, clock);
    this.startedAt = clock();
    this.stallTimeoutMs = stallTimeoutMs(settings);
    this.singleWriter = store instanceof SingleWriterStore;
    metrics.build_info.set({ version, node: process.versions.node, roles: settings.ROLES.join(',') }, 1);
    metrics.store_single_writer.set(Number(this.singleWriter));
  }

  onModuleDestroy(): void {
    this.recorder.stop();
  }

  /**
   * Liveness of this process alone: a response proves that the event loop runs. A restart would help neither against an
   * unavailable upstream nor against a paused queue.
   */
  @Get('health/live')
  live(): { status: 'ok' } {
    const idleMs = this.engine.activeJobs.longestIdleMs();
    if (idleMs > this.stallTimeoutMs) throw new ServiceUnavailableException(stallProblem(idleMs));
    return { status: 'ok' };
  }

  /** Whether the store and the queues respond in time and the process is not stopping. */
  @Get('health/ready')
  async ready(): Promise<{ status: 'ok' }> {
    if (this.stopping.aborted) throw new ServiceUnavailableException('The service is stopping.');
    const [store, queues] = await Promise.all([
      this.dependencies.store.get(),
      this.dependencies.queues.get(),
    ]);
    if ('error' in store) throw new ServiceUnavailableException(storeProblem(store.error));
    if ('error' in queues) throw new ServiceUnavailableException(queueProblem(queues.error));
    return { status: 'ok' };
  }

  /** This server listens only after the start has finished; until then another one on its port responds with 503. */
  @Get('health/startup')
  startup(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** For people: always 200 and within seconds, as they need it most when something is wrong. */
  @Get('health')
  @Header('Cache-Control', 'no-store')
  async report(): Promise<HealthReport & { readonly errors: readonly CurrentError[] }> {
    const results = await this.dependencies.probeAll();
    const self = {
      version,
      startedAt: this.startedAt,
      supported: this.processes.supported,
      store: { description: this.store.description, singleWriter: this.singleWriter },
      mlflow: this.recorder.mlflow,
      lastSuccess: this.lastSuccess(),
      idle: { ms: this.engine.activeJobs.longestIdleMs(), timeoutMs: this.stallTimeoutMs },
    };
    const report = describeHealth(results, self, this.settings, this.clock());
    return { ...report, errors: await this.currentErrors('value' in results.store) };
  }

  @Get('api/v1/errors')
  @Header('Cache-Control', 'no-store')
  @ApiTags('health')
  @ApiOperation({ summary: 'The errors of the last 15 minutes, counted, with what to do' })
  @ApiOkResponse({ standardSchema: currentErrorsSchema })
  async errors(): Promise<{ errors: CurrentError[] }> {
    return { errors: await this.currentErrors('value' in (await this.dependencies.store.get())) };
  }

  @Get('metrics')
  async scrape(@Res() response: Response): Promise<void> {
    const results = await this.dependencies.probeAll();
    updateGauges(this.metrics, results, {
      ...statusOptions(this.settings),
      now: this.clock(),
      catalogConfigured: isCatalogConfigured(this.settings),
      mlflow: this.recorder.mlflow,
      lastSuccess: this.lastSuccess(),
    });
    this.metrics.held_job_idle_seconds.set(this.engine.activeJobs.longestIdleMs() / 1000);
    response
      .set({ 'Content-Type': this.registry.contentType, 'Cache-Control': 'no-store' })
      .send(await this.registry.metrics());
  }

  /** @param isStoreUp without the store, the errors of the other processes are unknown */
  private async currentErrors(isStoreUp: boolean): Promise<CurrentError[]> {
    const own = () => this.processes.ownErrors();
    return describeErrors(isStoreUp ? await this.processes.currentErrors().catch(own) : own());
  }

  private lastSuccess() {
    return { store: this.dependencies.store.lastSuccess, queue: this.dependencies.queues.lastSuccess };
  }
}
