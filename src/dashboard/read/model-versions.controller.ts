import { Controller, Inject, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { daysOf } from '../../domain/time.js';
import { type DuckSession, sql } from '../../storage/duck.js';
import { type ModelVersions, modelVersionsQuery } from '../contract/model-versions.js';
import { jsonAnswer } from './answers.js';
import { ReadOperation } from './operation.js';
import { PublishedReader } from './published-reader.js';
import { requestSpan } from './request-span.js';

type Version = ModelVersions['versions'][number];
/** Times in ms. */
type VersionRow = Omit<Version, 'first_at' | 'last_at'> & {
  readonly first_time: number;
  readonly last_time: number;
};

@Controller()
export class ModelVersionsController {
  constructor(@Inject(PublishedReader) private readonly reader: PublishedReader) {}

  @ReadOperation('/api/v1/model-versions', 'A metric by model version: what the runs of each logged')
  async modelVersions(
    @Query({ schema: modelVersionsQuery }) query: z.output<typeof modelVersionsQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { reader } = this;
    const { application, metric } = query;
    const { current } = await reader.platform();
    const span = requestSpan(query, Date.parse(current.to));
    const days = daysOf(span);
    const objects = await reader.objects({
      runs: { dataset: 'runs', days, application },
      enriched: { dataset: 'enriched_metrics', days, application },
    });
    await reader.respond(request, response, [application, metric, span, objects], async () => {
      const files = await reader.files(objects);
      const parameters = { ...files, application, metric, from: BigInt(span.from), to: BigInt(span.to) };
      const versions = await reader.session((session) => loadVersions(session, parameters));
      if (versions.length === 0) await reader.assertKnown(application, metric);
      const [from, to] = [iso(span.from), iso(span.to)];
      const found: ModelVersions = { application, metric, from, to, versions };
      return jsonAnswer(Buffer.from(JSON.stringify(found)));
    });
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

async function loadVersions(
  session: DuckSession,
  parameters: {
    readonly runs: readonly string[];
    readonly enriched: readonly string[];
    readonly application: string;
    readonly metric: string;
    readonly from: bigint;
    readonly to: bigint;
  },
): Promise<Version[]> {
  if (parameters.runs.length === 0 || parameters.enriched.length === 0) return [];
  const rows = await session.rows<VersionRow>(sql(import.meta.url, './sql/model_versions.sql'), parameters);
  return rows.map(({ first_time, last_time, ...rest }) => ({
    ...rest,
    first_at: iso(first_time),
    last_at: iso(last_time),
  }));
}
