import { Body, Controller, Header, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '../http/documentation.js';
import { RequestLimit } from '../upstream/request-limit.js';
import { type Verdict, type VerdictRequest, verdictRequestSchema, verdictSchema } from './contract.js';
import { judgeNow } from './judge-now.js';
import { GATE_SOURCE, type GateSource } from './load-run.js';

const MAX_AT_ONCE = 4;

@ApiTags('gate')
@Controller('api/v1/verdicts')
export class VerdictsController {
  /** Each verdict takes memory of DuckDB and requests of MLflow: others wait. */
  private readonly limit = new RequestLimit({ concurrency: MAX_AT_ONCE });

  constructor(@Inject(GATE_SOURCE) private readonly source: GateSource) {}

  /** A POST that changes nothing: the guard admits whoever may read (`src/http/access-rules.ts`). */
  @Post()
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'Judge a run, a model version or an application now, by the rules of the day of its run',
    description: 'The run is read from MLflow. Stores nothing. See docs/check.md.',
  })
  @ApiOkResponse({ standardSchema: verdictSchema })
  judge(@Body({ schema: verdictRequestSchema }) request: VerdictRequest): Promise<Verdict> {
    return this.limit.run(() => judgeNow(this.source, request, 'the rulebook of the service'));
  }
}
