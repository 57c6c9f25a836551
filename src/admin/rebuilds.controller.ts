import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Res } from '@nestjs/common';
import type { Response } from 'express';
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
  type Rebuild,
  type RebuildRequest,
  readRebuild,
  rebuildRequestSchema,
  rebuildSchema,
  rebuildWindow,
  requestRebuild,
} from './rebuilds.js';

const PATH = 'api/v1/admin/rebuilds';

@ApiTags('admin')
@ApiBearerAuth()
@Controller(PATH)
export class RebuildsController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post()
  @HttpCode(202)
  @ApiOperation({
    summary:
      'Write the objects of a dataset again from the stored facts, for the days from `from` to `to`, both inclusive',
  })
  @ApiAcceptedResponse({
    description: 'The rebuild is stored and will run.',
    standardSchema: rebuildSchema,
    headers: {
      Location: { description: 'The address of the rebuild and its progress', schema: { type: 'string' } },
    },
  })
  async create(
    @Body({ schema: rebuildRequestSchema }) request: RebuildRequest,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Rebuild> {
    const now = this.clock();
    const id = await requestRebuild(this.store, rebuildWindow(request, now), now);
    this.engine.wake();
    response.location(`/${PATH}/${id}`);
    return readRebuild(this.store, id);
  }

  @Get(':id')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'A rebuild and its progress' })
  @ApiOkResponse({ standardSchema: rebuildSchema })
  one(@Param('id') id: string): Promise<Rebuild> {
    return readRebuild(this.store, id);
  }
}
