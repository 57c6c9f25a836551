import { Body, Controller, Get, Header, HttpCode, Inject, Post, Query } from '@nestjs/common';
import type { z } from 'zod';
import { concurrently } from '../config/concurrently.js';
import { CLOCK, type Clock } from '../config/runtime.js';
import { addDays, dayOf } from '../domain/time.js';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '../http/documentation.js';
import { InvalidRequest } from '../http/problem.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { readQuality } from '../state/quality.js';
import { DUCK, type Duck, sql } from '../storage/duck.js';
import { partitionKey } from '../storage/keys.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import {
  describeQuality,
  historyQuery,
  historySchema,
  type Quality,
  type QualityHistory,
  qualitySchema,
  quarantineQuery,
  replayedSchema,
} from './contract.js';
import {
  listQuarantine,
  type QuarantinePage,
  quarantineSchema,
  replayQuarantine,
  replaySchema,
} from './quarantine.js';

const DEFAULT_DAYS = 30;
const MAX_DAYS = 366;

type HistoryRow = Omit<QualityHistory['rows'][number], 'at' | 'sample'> & {
  readonly at: number;
  readonly sample: string;
};

@ApiTags('quality')
@Controller('api/v1')
export class QualityController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(DUCK) private readonly duck: Duck,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Get('quality')
  @Header('Cache-Control', 'no-cache')
  @ApiOperation({ summary: 'The checks of data quality, what they mean and which applications fail' })
  @ApiOkResponse({ standardSchema: qualitySchema })
  async current(): Promise<Quality> {
    return describeQuality(await readQuality(this.store));
  }

  @Get('quality/history')
  @Header('Cache-Control', 'no-cache')
  @ApiOperation({ summary: 'The history of a check: the rows of the dataset data_quality' })
  @ApiOkResponse({ standardSchema: historySchema })
  async history(
    @Query({ schema: historyQuery }) { check, application, ...span }: z.output<typeof historyQuery>,
  ): Promise<QualityHistory> {
    const to = span.to ?? dayOf(this.clock());
    const from = span.from ?? addDays(to, 1 - DEFAULT_DAYS);
    const days: string[] = [];
    for (let day = to; day >= from && days.length <= MAX_DAYS; day = addDays(day, -1)) days.push(day);
    if (days.length === 0 || days.length > MAX_DAYS) {
      throw new InvalidRequest([{ message: `1 to ${MAX_DAYS} days until \`to\``, path: ['from'] }]);
    }
    const stored = await concurrently(days, (day) => this.store.fetch(partitionKey('data_quality', day)));
    const files = stored.flatMap((object) => (object ? [object.file] : []));
    if (files.length === 0) return { rows: [] };
    const rows = await this.duck.session((session) =>
      session.rows<HistoryRow>(sql(import.meta.url, './sql/history.sql'), {
        files,
        check,
        application: application ?? null,
      }),
    );
    return {
      rows: rows.map(({ at, sample, ...row }) => ({
        at: new Date(at).toISOString(),
        ...row,
        sample: JSON.parse(sample),
      })),
    };
  }

  @Get('quarantine')
  @Header('Cache-Control', 'no-cache')
  @ApiOperation({
    summary: 'The runs that cannot be read, newest days first, with the reason and what to do',
  })
  @ApiOkResponse({ standardSchema: quarantineSchema })
  quarantine(
    @Query({ schema: quarantineQuery }) { day, limit, cursor }: z.output<typeof quarantineQuery>,
  ): Promise<QuarantinePage> {
    return listQuarantine(this.store, { day, limit, after: cursor });
  }

  @Post('admin/quarantine/replay')
  @HttpCode(202)
  @ApiBearerAuth()
  @ApiTags('admin')
  @ApiOperation({
    summary: 'Read the runs in quarantine from MLflow again: those that are good now leave it',
  })
  @ApiAcceptedResponse({
    description: 'A delta is stored and will request the runs by their ids.',
    standardSchema: replayedSchema,
  })
  async replay(
    @Body({ schema: replaySchema }) request: z.output<typeof replaySchema>,
  ): Promise<z.infer<typeof replayedSchema>> {
    const replay = await replayQuarantine(this.store, request);
    if (replay.runs === 0) return { pipeline_run_id: null, ...replay };
    const id = await this.engine.create('delta', { scheduledAt: null });
    return { pipeline_run_id: id ?? null, ...replay };
  }
}
