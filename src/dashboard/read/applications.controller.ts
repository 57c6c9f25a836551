import { Controller, Inject, NotFoundException, Query, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { applicationQuery, applicationsQuery } from '../contract/applications.js';
import { jsonAnswer, sendAnswer } from './answers.js';
import { decodeCursor } from './cursor.js';
import { describeApplication, listApplications } from './describe-applications.js';
import { ReadOperation } from './operation.js';
import { PublishedReader } from './published-reader.js';

const cursorSchema = z.tuple([z.int(), z.string()]);

@Controller()
export class ApplicationsController {
  constructor(@Inject(PublishedReader) private readonly reader: PublishedReader) {}

  @ReadOperation('/api/v1/applications', 'The applications with a run in the last 30 days, worst first')
  async list(
    @Query({ schema: applicationsQuery }) query: z.output<typeof applicationsQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const after = query.cursor === undefined ? undefined : decodeCursor(query.cursor, cursorSchema);
    const { current, answer } = await this.reader.platform();
    await this.reader.respond(request, response, [query, answer.etag], () =>
      jsonAnswer(Buffer.from(JSON.stringify(listApplications(current, query, after)))),
    );
  }

  @ReadOperation('/api/v1/application', 'An application now: its light, why, since when, and who owns it')
  async one(
    @Query({ schema: applicationQuery }) query: z.output<typeof applicationQuery>,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const found = describeApplication(await this.reader.platform(), query.application, this.reader.mlflowUi);
    if (!found) throw new NotFoundException('There is no run of such an application in the last 30 days.');
    await sendAnswer(request, response, await jsonAnswer(Buffer.from(JSON.stringify(found))));
  }
}
