import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import { SETTINGS, type Settings } from '../config/settings.js';
import type { QualityLimits } from '../domain/quality/checks.js';
import { reportError } from '../observability/report-error.js';
import { ENGINE, type Engine, type PublishedRun } from '../pipeline/engine.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { checkQuality } from './check-quality.js';
import { loadLimits } from './limits-file.js';

/** Checks the data after each pipeline run. An error is reported, and never fails the run. */
@Injectable()
export class QualityService implements OnModuleInit {
  private limits: QualityLimits | undefined;
  /** Days that pipeline runs changed and whose measure failed: the next run measures them. */
  private readonly left = new Set<string>();

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(DUCK) private readonly duck: Duck,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** @throws {MonitorError} `quality_file` */
  async onModuleInit(): Promise<void> {
    this.limits = await loadLimits(this.settings.QUALITY_FILE);
    this.engine.afterPublishing = (run) => this.check(run);
  }

  private async check({ id, kind, to, touched }: PublishedRun): Promise<void> {
    if (!this.limits) return;
    const days = new Set([...touched, ...this.left]);
    for (const day of days) this.left.add(day);
    try {
      const run = { id, to, touched: days, readsHistory: kind !== 'delta' };
      await checkQuality(this.store, this.duck, this.limits, run);
      for (const day of days) this.left.delete(day);
    } catch (error) {
      reportError(error, { stage: 'quality', prefix: `The data was not checked after ${id}` });
    }
  }
}
