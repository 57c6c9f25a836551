import { Controller, Inject, NotFoundException, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { z } from 'zod';
import { daysOf } from '../../domain/time.js';
import { dayOfKey } from '../../storage/keys.js';
import { type Runs, runQuery, runsQuery } from '../contract/runs.js';
import { jsonAnswer } from './answers.js';
import { decodeCursor, encodeCursor } from './cursor.js';
import { loadRun, loadRuns, type RunsRequest, runsCursorSchema } from './load-runs.js';
import { ReadOperation } from './operation.js';
import { PublishedReader } from './published-reader.js';
import { requestSpan } from './request-span.js';
import { createRunsTable } from './runs-table.js';
import { formatOf, tableAnswer } from './table-file.js';

@Controller()
export class RunsController {
  constructor(@Inject(PublishedReader) private readonly reader: PublishedReader) {}

  @ReadOperation('/api/v1/runs', 'The runs of an application, newest first; children are below their parents')
  async list(
    @Query({ schema: runsQuery }) query: z.output<typeof runsQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { reader } = this;
    const { application, parent = '', limit, cursor } = query;
    const format = formatOf(request, query.format);
    const status: RunsRequest['status'] = query.status ?? '';
    const before = cursor === undefined ? undefined : decodeCursor(cursor, runsCursorSchema);
    const { current } = await reader.platform();
    const span = requestSpan(query, Date.parse(current.to));
    const days = daysOf(span);
    const objects = await reader.objects({
      runs: { dataset: 'runs', days, application },
      enriched: { dataset: 'enriched_metrics', days, application },
    });
    const asked = { application, status, parent, span, limit, before };
    await reader.respond(request, response, [asked, format, objects], async () => {
      const entries = { runs: objects.runs, enriched_metrics: objects.enriched };
      const filesOf = async (dataset: keyof typeof entries, wanted: readonly string[]) => {
        const found = entries[dataset].filter(({ key }) => wanted.includes(dayOfKey(key) ?? ''));
        return (await reader.files({ found })).found;
      };
      return reader.session(async (session) => {
        const { runs, next } = await loadRuns(session, filesOf, asked, reader.mlflowUi);
        if (runs.length === 0) await reader.assertKnown(application);
        if (format !== 'json')
          return tableAnswer(session, format, `${application}-runs`, () => createRunsTable(session, runs));
        const [from, to] = [new Date(span.from).toISOString(), new Date(span.to).toISOString()];
        const found: Runs = { application, from, to, runs, next: next && encodeCursor(next) };
        return jsonAnswer(Buffer.from(JSON.stringify(found)));
      });
    });
  }

  @ReadOperation('/api/v1/run', 'A run with its params, tags and metrics')
  async one(
    @Query({ schema: runQuery }) { run_id, day }: z.output<typeof runQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { reader } = this;
    const objects = await reader.objects({
      runs: { dataset: 'runs', days: [day] },
      enriched: { dataset: 'enriched_metrics', days: [day] },
    });
    await reader.respond(request, response, [run_id, objects], async () => {
      const files = await reader.files(objects);
      const run = await reader.session((session) => loadRun(session, files, run_id, reader.mlflowUi));
      if (!run) throw new NotFoundException('There is no such run on that day.');
      return jsonAnswer(Buffer.from(JSON.stringify(run)));
    });
  }
}
