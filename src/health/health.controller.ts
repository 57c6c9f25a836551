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
import { domainSettings, SETTINGS, type Settings } from '../config/settings.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { SingleWriterStore } from '../storage/single-writer.js';
import { Dependencies } from './dependencies.js';
import { updateGauges } from './exposition.js';
import { describeHealth, type HealthReport } from './health-report.js';
import { createMetrics, type Metrics } from './metrics.js';
import { MetricsRecorder } from './metrics-recorder.js';
import { stallTimeoutMs } from './stall-timeout.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Probes, health for people, and metrics: of every process, whatever its roles. */
@Controller()
export class HealthController implements OnModuleDestroy {
  private readonly registry: Registry;
  private readonly metrics: Metrics;
  private readonly counting: MetricsRecorder;
  private readonly startedAt: number;
  private readonly stuckAfterMs: number;
  private readonly singleWriter: boolean;

  constructor(
    @Inject(Dependencies) private readonly sources: Dependencies,
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(STOPPING) private readonly stopping: AbortSignal,
  ) {
    const { registry, metrics } = createMetrics();
    this.registry = registry;
    this.metrics = metrics;
    this.counting = new MetricsRecorder(metrics, engine, clock);
    this.startedAt = clock();
    this.stuckAfterMs = stallTimeoutMs(settings);
    this.singleWriter = store instanceof SingleWriterStore;
    metrics.build_info.set({ version, node: process.versions.node, roles: settings.ROLES.join(',') }, 1);
    metrics.store_single_writer.set(Number(this.singleWriter));
  }

  onModuleDestroy(): void {
    this.counting.end();
  }

  /** Of this process alone: that it answers shows its event loop turns. An upstream that is away, or a queue that is empty or paused, is no reason to begin it anew. */
  @Get('health/live')
  live(): { status: 'ok' } {
    const still = this.engine.activeJobs.longestIdleMs();
    if (still > this.stuckAfterMs) {
      throw new ServiceUnavailableException(
        `A job has not moved on for ${Math.round(still / 60_000)} minutes.`,
      );
    }
    return { status: 'ok' };
  }

  /** Whether the store and the queues answer in time, and the process is to go on. */
  @Get('health/ready')
  async ready(): Promise<{ status: 'ok' }> {
    if (this.stopping.aborted) throw new ServiceUnavailableException('The service is stopping.');
    const [store, queues] = await Promise.all([this.sources.store.get(), this.sources.queues.get()]);
    if ('error' in store) throw new ServiceUnavailableException(`The store does not answer: ${store.error}`);
    if ('error' in queues)
      throw new ServiceUnavailableException(`The queue does not answer: ${queues.error}`);
    return { status: 'ok' };
  }

  /** This server listens only when all is begun; until then another one holds its port and answers 503. */
  @Get('health/startup')
  startup(): { status: 'ok' } {
    return { status: 'ok' };
  }

  /** For people, who want to read it most when something is wrong: always 200, and soon. */
  @Get('health')
  @Header('Cache-Control', 'no-store')
  async report(): Promise<HealthReport> {
    const seen = await this.sources.probeAll();
    const self = {
      version,
      startedAt: this.startedAt,
      store: { description: this.store.description, singleWriter: this.singleWriter },
      mlflow: this.counting.mlflow,
      lastSuccess: this.lastSuccess(),
      still: { ms: this.engine.activeJobs.longestIdleMs(), limitMs: this.stuckAfterMs },
    };
    return describeHealth(seen, self, this.settings, this.clock());
  }

  @Get('metrics')
  async scrape(@Res() response: Response): Promise<void> {
    const seen = await this.sources.probeAll();
    updateGauges(this.metrics, seen, {
      now: this.clock(),
      scope: domainSettings(this.settings),
      catalogConfigured: Boolean(this.settings.METRICS_API_URL ?? this.settings.THRESHOLDS_API_URL),
      mlflow: this.counting.mlflow,
      lastSuccess: this.lastSuccess(),
    });
    this.metrics.held_job_idle_seconds.set(this.engine.activeJobs.longestIdleMs() / 1000);
    response
      .set({ 'Content-Type': this.registry.contentType, 'Cache-Control': 'no-store' })
      .send(await this.registry.metrics());
  }

  private lastSuccess() {
    return { store: this.sources.store.lastSuccess, queue: this.sources.queues.lastSuccess };
  }
}
