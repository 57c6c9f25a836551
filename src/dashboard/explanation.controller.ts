import {
  BadRequestException,
  Controller,
  Get,
  Header,
  Inject,
  NotFoundException,
  Query,
} from '@nestjs/common';
import { z } from 'zod';
import { SETTINGS, type Settings } from '../config/settings.js';
import { lateAfterMs } from '../domain/status-cause.js';
import { readRulebook } from '../state/rulebook.js';
import { statusOptions } from '../state/service-status.js';
import { DUCK, type Duck } from '../storage/duck.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { type Explanation, loadExplanations } from './load-explanations.js';

const querySchema = z.object({ day: z.iso.date(), run_id: z.string().min(1), metric: z.string().min(1) });

@Controller('api/v1/explanation')
export class ExplanationController {
  constructor(
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(DUCK) private readonly duck: Duck,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /** Why a metric of a run has its status: `?day=YYYY-MM-DD&run_id=…&metric=…` */
  @Get()
  @Header('Cache-Control', 'no-cache')
  async explain(@Query() query: unknown): Promise<Explanation> {
    const parsed = querySchema.safeParse(query);
    if (!parsed.success) {
      throw new BadRequestException('The query parameters day (YYYY-MM-DD), run_id and metric are required.');
    }
    const { store, duck, settings } = this;
    const lateMs = lateAfterMs(statusOptions(settings).deltaPeriodMs);
    const book = await readRulebook(store);
    const [explanation] = await duck.session((session) =>
      loadExplanations({ store, session, book, lateMs }, [parsed.data]),
    );
    if (!explanation) throw new NotFoundException('The run has no such metric on that day.');
    return explanation;
  }
}
