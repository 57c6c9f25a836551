import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CLOCK, type Clock } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { errorMessage } from '../domain/errors.js';
import type { PipelineKind } from '../domain/model.js';
import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { reportError } from '../observability/report-error.js';
import { isFullPassDue, isServed, readKindState } from '../state/kind-state.js';
import { Processes } from '../state/processes.js';
import { raiseVersions } from '../state/raise-versions.js';
import { type Rulebook, readRulebook } from '../state/rulebook.js';
import { describeVersions, isRewritten, supports, versionsInForce } from '../state/versions.js';
import { readWatermarks } from '../state/watermarks.js';
import { brokenKeyOf, ifReadable } from '../storage/json-document.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { clearRawPages } from './clear-raw-pages.js';
import { DISPATCH_PERIOD_MS, ENGINE, type Engine } from './engine.js';
import { MAINTENANCE_PERIOD_MS, maintain } from './maintenance.js';
import { CronSchedule, startOfPeriod } from './schedule-times.js';

const TICK_MS = 10_000;
const SCHEDULED_KINDS = ['delta', 'historical', 'backup', 'reevaluation'] as const;

/**
 * Creates the pipeline runs that are due, checking every `TICK_MS`. A run is identified by its scheduled time, not by when
 * it was created, and each kind stores the last one: two schedulers create one run, and a missed run is caught up on.
 */
@Injectable()
export class SchedulerService {
  private readonly log = new Logger('Scheduler');
  /** Runs scheduled up to this time are not caught up on, ms. */
  private readonly skipUntil: Partial<Record<PipelineKind, number>> = {};
  /** By what failed: the invalid document that was logged. */
  private readonly broken = new Map<string, string>();
  private readonly historical: CronSchedule;
  private readonly backup: CronSchedule;
  private isStarted = false;
  private isTicking = false;
  private lastDispatch = 0;
  /** When everything was last found clean, ms. */
  private lastMaintenance = 0;

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(Processes) private readonly processes: Pick<Processes, 'supported' | 'common'>,
  ) {
    const { HISTORICAL_SCHEDULE_CRON, BACKUP_SCHEDULE_CRON, SCHEDULE_TIMEZONE } = settings;
    this.historical = new CronSchedule(HISTORICAL_SCHEDULE_CRON, SCHEDULE_TIMEZONE);
    this.backup = new CronSchedule(BACKUP_SCHEDULE_CRON, SCHEDULE_TIMEZONE);
  }

  /** Creates the pipeline run of the start and those that are due, and then checks each `TICK_MS`. Called once, when the page is up. */
  async start(): Promise<void> {
    const now = this.clock();
    // Invalid watermarks do not mean an empty store: its pipeline runs fail with the name of the document.
    const watermarks = await ifReadable(readWatermarks(this.store));
    const isEmpty = watermarks !== undefined && Object.keys(watermarks).length === 0;
    await this.attempt('raise of versions', () => this.raiseVersions());
    try {
      // The same scheduled time at every start, so that a store is bootstrapped once. A store with data is reevaluated at every start.
      if (isEmpty) await this.engine.create('bootstrap', { scheduledAt: 0 });
      else if (this.isSupported(await ifReadable(readRulebook(this.store))))
        await this.engine.create('reevaluation', { scheduledAt: now });
    } catch (error) {
      if (brokenKeyOf(error) === undefined) throw error;
      reportError(error, { stage: 'schedule', prefix: 'Scheduling failed (start)' });
    }
    // A new store has no missed runs: its bootstrap reads what they would have read.
    for (const kind of SCHEDULED_KINDS) {
      const state = await ifReadable(readKindState(this.store, kind));
      if (state?.last_nominal === null) this.skipUntil[kind] = now;
    }
    this.isStarted = true;
    await this.tick();
  }

  @Interval(TICK_MS)
  async tick(): Promise<void> {
    if (!this.isStarted || this.isTicking) return;
    this.isTicking = true;
    try {
      await this.createDue();
      // The absolute difference: a clock that was far ahead and is set back must not delay the next dispatch.
      if (Math.abs(this.clock() - this.lastDispatch) >= DISPATCH_PERIOD_MS) {
        this.lastDispatch = this.clock();
        await this.attempt('dispatch', () => this.engine.dispatch());
        await this.attempt('raise of versions', () => this.raiseVersions());
        await this.maintain();
      }
    } finally {
      this.isTicking = false;
    }
  }

  /** Reports an error of the work, so that the rest continues; an invalid document once, as waiting does not mend it. */
  private async attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.broken.delete(what);
    } catch (error) {
      const message = errorMessage(error);
      if (this.broken.get(what) !== message)
        reportError(error, { stage: 'schedule', prefix: `Scheduling failed (${what})` });
      if (brokenKeyOf(error) !== undefined) this.broken.set(what, message);
    }
  }

  private async maintain(): Promise<void> {
    if (Math.abs(this.clock() - this.lastMaintenance) < MAINTENANCE_PERIOD_MS) return;
    const days = this.settings.RETENTION_DAYS;
    await this.attempt('deletion of raw pages', () => clearRawPages(this.store, days._raw, this.clock()));
    await this.attempt('maintenance', async () => {
      if (await maintain(this.store, days, this.clock())) this.lastMaintenance = this.clock();
    });
  }

  private async createDue(): Promise<void> {
    const { settings } = this;
    const now = this.clock();
    const due = [
      { kind: 'delta', scheduledAt: startOfPeriod(settings.DELTA_SCHEDULE_MINUTES * 60_000, now) },
      { kind: 'historical', scheduledAt: this.historical.lastTime(now) },
      { kind: 'backup', scheduledAt: this.backup.lastTime(now) },
    ] as const;
    for (const { kind, scheduledAt } of due) {
      if (scheduledAt === null) continue;
      await this.attempt(kind, async () => {
        if (await this.isNew(kind, scheduledAt)) await this.engine.create(kind, { scheduledAt });
      });
    }
    await this.attempt('reevaluation', () => this.reevaluate(now));
  }

  /** Hourly the days that the historical run still reads again, once a day all days: at the first hour that can. */
  private async reevaluate(now: number): Promise<void> {
    const hour = startOfPeriod(MS_PER_HOUR, now);
    if (!(await this.isNew('reevaluation', hour))) return;
    const book = await ifReadable(readRulebook(this.store));
    if (!this.isSupported(book)) return;
    const isFull = isFullPassDue(await readKindState(this.store, 'reevaluation'), now, isRewritten(book));
    const from = startOfPeriod(MS_PER_DAY, now) - this.settings.LOOKBACK_DAYS_HISTORICAL * MS_PER_DAY;
    const window = { from, to: Number.MAX_SAFE_INTEGER };
    await this.engine.create('reevaluation', { scheduledAt: hour, ...(isFull ? {} : { window }) });
  }

  /** An older process than the store leaves all stored days to a newer one. */
  private isSupported(book: Rulebook | undefined): boolean {
    return supports(this.processes.supported, versionsInForce(book));
  }

  /** Raises the versions in force if no older process is present, and rewrites all stored days: after all other work. */
  private async raiseVersions(): Promise<void> {
    const now = this.clock();
    const raised = await raiseVersions(this.store, this.processes, now);
    if (!raised) return;
    this.log.log(`All days are rewritten to ${describeVersions(raised)}, the newest ones first`);
    await this.engine.create('reevaluation', { scheduledAt: now });
  }

  private async isNew(kind: PipelineKind, scheduledAt: number): Promise<boolean> {
    if (scheduledAt <= (this.skipUntil[kind] ?? 0)) return false;
    return !isServed(await readKindState(this.store, kind), scheduledAt, this.clock());
  }
}
