import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CLOCK, type Clock } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { MS_PER_DAY } from '../domain/time.js';
import { reportError } from '../observability/report-error.js';
import { GATE_SOURCE, type GateSource } from './load-run.js';
import { type WrittenTag, writeVerdictTags } from './write-verdict-tags.js';

const TICK_MS = 60_000;

/** With `TAG_WRITEBACK=model-version`: writes verdicts as tags of model versions, as often as deltas run. */
@Injectable()
export class TagWritebackService {
  private readonly log = new Logger('Tags');
  /** When the last pass began, ms. */
  private last = Number.NEGATIVE_INFINITY;
  private isActive = false;

  constructor(
    @Inject(GATE_SOURCE) private readonly source: GateSource,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Interval(TICK_MS)
  async tick(): Promise<void> {
    const now = this.clock();
    const isDue = now < this.last || now - this.last >= this.settings.DELTA_SCHEDULE_MINUTES * 60_000;
    if (this.isActive || !isDue) return;
    this.last = now;
    await this.write(now);
  }

  /** @param now ms @returns the tags that were written; none after an error, which is reported */
  async write(now: number): Promise<WrittenTag[]> {
    this.isActive = true;
    try {
      // Changed rules apply to so many past days: older versions keep their verdict.
      const days = Math.max(1, this.settings.REEVALUATE_DAYS);
      const written = await writeVerdictTags(this.source, now - days * MS_PER_DAY);
      for (const { name, version, verdict } of written)
        this.log.log(`${name} version ${version}: ${verdict}`);
      return written;
    } catch (error) {
      reportError(error, { stage: 'tags', prefix: 'The tags of model versions were not written' });
      return [];
    } finally {
      this.isActive = false;
    }
  }
}
