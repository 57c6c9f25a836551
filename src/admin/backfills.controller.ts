import { Body, Controller, Delete, Get, Header, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
import { z } from 'zod';
import { CLOCK, type Clock } from '../config/runtime.js';
import {
  ApiAcceptedResponse,
  ApiBearerAuth,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '../http/documentation.js';
import { ENGINE, type Engine } from '../pipeline/engine.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import {
  type Backfill,
  type BackfillDetail,
  type BackfillRequest,
  backfillDetailSchema,
  backfillRequestSchema,
  backfillSchema,
  backfillWindow,
  cancelBackfill,
  listBackfills,
  readBackfill,
  requestBackfill,
} from './backfills.js';

const PATH = 'api/v1/admin/backfills';
/** Backfills in the list. */
const MAX_LISTED = 50;

@ApiTags('admin')
@ApiBearerAuth()
@Controller(PATH)
export class BackfillsController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary: 'Backfill the days from `from` to `to`, both inclusive: make them equal to MLflow',
  })
  @ApiAcceptedResponse({
    description:
      'The backfill is stored and will run. If an unfinished backfill covers the same days, it is returned instead.',
    standardSchema: backfillDetailSchema,
    headers: {
      Location: { description: 'The address of the backfill and its progress', schema: { type: 'string' } },
    },
  })
  async create(
    @Body({ schema: backfillRequestSchema }) request: BackfillRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<BackfillDetail> {
    const now = this.clock();
    const id = await requestBackfill(this.store, backfillWindow(request, now), now);
    this.engine.wake();
    // Relative to the address of the request: a proxy may serve it below a path.
    response.location(`${PATH.split('/').at(-1)}/${id}`);
    return readBackfill(this.store, id);
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: `The newest ${MAX_LISTED} backfills, newest first` })
  @ApiOkResponse({ standardSchema: z.object({ backfills: z.array(backfillSchema) }) })
  async list(): Promise<{ backfills: Backfill[] }> {
    return { backfills: await listBackfills(this.store, MAX_LISTED) };
  }

  @Get(':id')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'A backfill with its days' })
  @ApiOkResponse({ standardSchema: backfillDetailSchema })
  one(@Param('id') id: string): Promise<BackfillDetail> {
    return readBackfill(this.store, id);
  }

  @Delete(':id')
  @ApiOperation({ summary: 'Cancel a backfill. Its finished days stay.' })
  @ApiOkResponse({ standardSchema: backfillDetailSchema })
  cancel(@Param('id') id: string): Promise<BackfillDetail> {
    return cancelBackfill(this.engine, this.store, id);
  }
}
