import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import type { Settings } from '../config/settings.js';
import { CLOCK, type Clock, SETTINGS } from '../config/tokens.js';
import type { PipelineKind } from '../domain/model.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import type { ObjectStore } from '../storage/object-store.js';
import { OBJECT_STORE } from '../storage/tokens.js';
import { clearRawPages } from './clear-raw.js';
import type { Engine } from './engine.js';
import { isServed, readKind } from './run-record.js';
import { lastDue, lastPeriod } from './ticks.js';
import { ENGINE } from './tokens.js';
import { readWatermarks } from './watermark.js';

const LOOK_MS = 10_000;
const DISPATCH_EVERY_MS = 60_000;
const SCHEDULED = ['delta', 'historical', 'backup', 'reevaluation'] as const;

/**
 * Looks every few seconds which pipeline runs are due. The time of a tick is that of the schedule, not of the look, and
 * each kind remembers the last one: two schedulers make one run, and a run that was missed is made up for.
 */
@Injectable()
export class Scheduler implements OnApplicationBootstrap {
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
    if (empty) await this.engine.create('bootstrap', { nominal: 0 });
    else await this.engine.create('reevaluation', { nominal: now });
    // A new store owes nothing: its bootstrap reads what the missed runs would have read.
    for (const kind of SCHEDULED) {
      if ((await readKind(this.store, kind)).last_nominal === null) this.firstTick[kind] = now;
    }
    await this.look();
  }

  @Interval(LOOK_MS)
  async look(): Promise<void> {
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
    const cron = (expression: string) => lastDue(expression, settings.SCHEDULE_TIMEZONE, now);
    const ticks = [
      { kind: 'delta', nominal: lastPeriod(settings.DELTA_SCHEDULE_MINUTES * 60_000, now) },
      { kind: 'historical', nominal: cron(settings.HISTORICAL_SCHEDULE_CRON) },
      { kind: 'backup', nominal: cron(settings.BACKUP_SCHEDULE_CRON) },
    ] as const;
    for (const { kind, nominal } of ticks) {
      if (nominal !== null && (await this.isNew(kind, nominal))) {
        await this.engine.create(kind, { nominal });
      }
    }
    await this.reevaluate(now);
  }

  /** Hourly what may still move, daily everything. */
  private async reevaluate(now: number): Promise<void> {
    const hour = lastPeriod(MS_PER_HOUR, now);
    if (!(await this.isNew('reevaluation', hour))) return;
    const { last_nominal } = await readKind(this.store, 'reevaluation');
    const all = last_nominal === null || lastPeriod(MS_PER_DAY, last_nominal) < lastPeriod(MS_PER_DAY, now);
    const from = lastPeriod(MS_PER_DAY, now) - this.settings.LOOKBACK_DAYS_HISTORICAL * MS_PER_DAY;
    const window = { from, to: Number.MAX_SAFE_INTEGER };
    await this.engine.create('reevaluation', { nominal: hour, ...(all ? {} : { window }) });
  }

  private async isNew(kind: PipelineKind, nominal: number): Promise<boolean> {
    if (nominal <= (this.firstTick[kind] ?? 0)) return false;
    return !isServed(await readKind(this.store, kind), nominal, this.clock());
  }
}
