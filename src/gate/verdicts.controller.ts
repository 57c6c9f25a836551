import { Body, Controller, Header, HttpCode, Inject, Post } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Verdict, type VerdictRequest, verdictRequestSchema, verdictSchema } from './contract.js';

/** Injection token of the function that judges. */
export const JUDGE_NOW = Symbol('JUDGE_NOW');
export type JudgeNow = (request: VerdictRequest) => Promise<Verdict>;

@ApiTags('gate')
@Controller('api/v1/verdicts')
export class VerdictsController {
  constructor(@Inject(JUDGE_NOW) private readonly judgeNow: JudgeNow) {}

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
    return this.judgeNow(request);
  }
}
