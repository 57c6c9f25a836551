import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CLOCK, type Clock } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import type { PipelineKind } from '../domain/model.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { isServed, readKindState } from '../state/kind-state.js';
import { readWatermarks } from '../state/watermarks.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { clearRawPages } from './clear-raw-pages.js';
import { ENGINE, type Engine } from './engine.js';
import { lastScheduledTime, startOfPeriod } from './schedule-times.js';

const LOOK_MS = 10_000;
const DISPATCH_EVERY_MS = 60_000;
const SCHEDULED = ['delta', 'historical', 'backup', 'reevaluation'] as const;

/**
 * Looks every few seconds which pipeline runs are due. The time of a tick is that of the schedule, not of the look, and
 * each kind remembers the last one: two schedulers make one run, and a run that was missed is made up for.
 */
@Injectable()
export class SchedulerService implements OnApplicationBootstrap {
  private readonly log = new Logger('Scheduler');
  /** Ticks up to this time are not made up for, ms. */
  private readonly firstTick: Partial<Record<PipelineKind, number>> = {};
  private looking = false;
  private dispatched = 0;

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    const now = this.clock();
    const empty = Object.keys(await readWatermarks(this.store)).length === 0;
    // The same tick at every start: a store is bootstrapped once. One that holds days is looked through at every start.
    if (empty) await this.engine.create('bootstrap', { scheduledAt: 0 });
    else await this.engine.create('reevaluation', { scheduledAt: now });
    // A new store owes nothing: its bootstrap reads what the missed runs would have read.
    for (const kind of SCHEDULED) {
      if ((await readKindState(this.store, kind)).last_nominal === null) this.firstTick[kind] = now;
    }
    await this.tick();
  }

  @Interval(LOOK_MS)
  async tick(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      await this.createDue();
      if (Math.abs(this.clock() - this.dispatched) >= DISPATCH_EVERY_MS) {
        this.dispatched = this.clock();
        await this.engine.dispatch();
        await clearRawPages(this.store, this.clock());
      }
    } catch (error) {
      this.log.warn(`The look at what is due failed: ${error instanceof Error ? error.message : error}`);
    } finally {
      this.looking = false;
    }
  }

  private async createDue(): Promise<void> {
    const { settings } = this;
    const now = this.clock();
    const cron = (expression: string) => lastScheduledTime(expression, settings.SCHEDULE_TIMEZONE, now);
    const ticks = [
      { kind: 'delta', scheduledAt: startOfPeriod(settings.DELTA_SCHEDULE_MINUTES * 60_000, now) },
      { kind: 'historical', scheduledAt: cron(settings.HISTORICAL_SCHEDULE_CRON) },
      { kind: 'backup', scheduledAt: cron(settings.BACKUP_SCHEDULE_CRON) },
    ] as const;
    for (const { kind, scheduledAt } of ticks) {
      if (scheduledAt !== null && (await this.isNew(kind, scheduledAt))) {
        await this.engine.create(kind, { scheduledAt });
      }
    }
    await this.reevaluate(now);
  }

  /** Hourly what may still move, daily everything. */
  private async reevaluate(now: number): Promise<void> {
    const hour = startOfPeriod(MS_PER_HOUR, now);
    if (!(await this.isNew('reevaluation', hour))) return;
    const { last_nominal } = await readKindState(this.store, 'reevaluation');
    const all =
      last_nominal === null || startOfPeriod(MS_PER_DAY, last_nominal) < startOfPeriod(MS_PER_DAY, now);
    const from = startOfPeriod(MS_PER_DAY, now) - this.settings.LOOKBACK_DAYS_HISTORICAL * MS_PER_DAY;
    const window = { from, to: Number.MAX_SAFE_INTEGER };
    await this.engine.create('reevaluation', { scheduledAt: hour, ...(all ? {} : { window }) });
  }

  private async isNew(kind: PipelineKind, scheduledAt: number): Promise<boolean> {
    if (scheduledAt <= (this.firstTick[kind] ?? 0)) return false;
    return !isServed(await readKindState(this.store, kind), scheduledAt, this.clock());
  }
}
