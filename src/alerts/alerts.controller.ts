import { randomUUID } from 'node:crypto';
import {
  Body,
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  Module,
  Param,
  Post,
  Query,
  Req,
} from '@nestjs/common';
import type { Request } from 'express';
import { z } from 'zod';
import { CLOCK, type Clock } from '../config/runtime.js';
import type { AlertActions, Mute } from '../domain/alerts/actions.js';
import { MonitorError } from '../domain/errors.js';
import { MS_PER_DAY } from '../domain/time.js';
import { actorOf } from '../http/actor.js';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '../http/documentation.js';
import { muteSchema, readAlertActions, updateAlertActions } from '../state/alerts/actions.js';
import { AlertChain } from '../state/alerts/evaluations.js';
import type { AlertDelivery } from '../state/alerts/outbox.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { type Alerts, alertsSchema, loadAlerts, loadTransitions, transitionsSchema } from './load-alerts.js';
import { loadNoise, type Noise, noiseSchema } from './load-noise.js';

/** A mute without an end would be forgotten. */
const MAX_MUTE_DAYS = 90;
const name = z.string().min(1).max(1_000);

const muteRequestSchema = z
  .strictObject({
    incident: name.optional(),
    application: name.optional(),
    metric: name.optional(),
    until: z.iso.datetime({ offset: true }),
    reason: z.string().trim().min(1).max(500),
  })
  .refine(({ incident, application }) => (incident === undefined) !== (application === undefined), {
    error: 'expected either an incident or an application',
  })
  .refine(({ metric, application }) => metric === undefined || application !== undefined, {
    error: 'a metric needs its application',
  });
const acknowledgementRequestSchema = z.strictObject({ incident: name });
const cursorSchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
});

@ApiTags('alerts')
@Controller('api/v1/alerts')
export class AlertsController {
  private readonly chain: AlertChain;
  /** Every open page asks each half minute. */
  private readonly deliveries = new Map<string, AlertDelivery>();

  constructor(
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    this.chain = new AlertChain(store);
  }

  @Get()
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'The incidents that are not ok, and who was notified' })
  @ApiOkResponse({ standardSchema: alertsSchema })
  current(): Promise<Alerts> {
    return loadAlerts(this.store, this.chain, this.clock(), this.deliveries);
  }

  @Get('noise')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'How often each rule fired in the last 30 days, and what would have halved it',
    description: 'The three rules that fired most come with the smallest change that would have halved them.',
  })
  @ApiOkResponse({ standardSchema: noiseSchema })
  noise(): Promise<Noise> {
    return loadNoise(this.chain, this.clock());
  }

  @Get('transitions')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({
    summary: 'What changed, oldest first; `next` is the `after` of the next request',
    description: 'Changes of the last 35 days.',
  })
  @ApiOkResponse({ standardSchema: transitionsSchema })
  transitions(@Query({ schema: cursorSchema }) { after, limit }: z.infer<typeof cursorSchema>) {
    return loadTransitions(this.chain, after, limit);
  }
}

@ApiTags('admin')
@ApiBearerAuth()
@Controller('api/v1/admin/alerts')
export class AlertActionsController {
  constructor(
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  @Post('mutes')
  @HttpCode(201)
  @ApiOperation({ summary: 'Deliver nothing about an incident, an application or a metric until a time' })
  @ApiOkResponse({ standardSchema: muteSchema })
  async mute(
    @Body({ schema: muteRequestSchema }) asked: z.infer<typeof muteRequestSchema>,
    @Req() request: Request,
  ): Promise<Mute> {
    const now = this.clock();
    const until = Date.parse(asked.until);
    if (until <= now || until > now + MAX_MUTE_DAYS * MS_PER_DAY) {
      throw new MonitorError('mute_until', `A mute ends in the future, within ${MAX_MUTE_DAYS} days.`);
    }
    if (asked.incident !== undefined) await this.assertOpen(asked.incident);
    const mute: Mute = {
      id: randomUUID(),
      incident: asked.incident ?? null,
      application: asked.application ?? null,
      metric: asked.metric ?? null,
      from: new Date(now).toISOString(),
      until: new Date(until).toISOString(),
      by: actorOf(request),
      reason: asked.reason,
    };
    await this.change(({ mutes, ...rest }) => ({ ...rest, mutes: [...mutes, mute] }));
    return mute;
  }

  @Get('mutes')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'The mutes, also those that have ended' })
  @ApiOkResponse({ standardSchema: z.object({ mutes: z.array(muteSchema).readonly() }) })
  async mutes(): Promise<Pick<AlertActions, 'mutes'>> {
    return { mutes: (await readAlertActions(this.store)).mutes };
  }

  @Delete('mutes/:id')
  @ApiOperation({ summary: 'End a mute now' })
  @ApiOkResponse({ standardSchema: muteSchema })
  async unmute(@Param('id') id: string): Promise<Mute> {
    const until = new Date(this.clock()).toISOString();
    const end = (mute: Mute) => (mute.id === id && mute.until > until ? { ...mute, until } : mute);
    const stored = await this.change(({ mutes, ...rest }) => ({ ...rest, mutes: mutes.map(end) }));
    const mute = stored.mutes.find((each) => each.id === id);
    if (!mute) throw new MonitorError('unknown_mute', 'There is no such mute.');
    return mute;
  }

  @Post('acknowledgements')
  @HttpCode(200)
  @ApiOperation({ summary: 'Acknowledge an incident: it is not repeated' })
  @ApiOkResponse({ standardSchema: z.object({ incident: z.string(), at: z.string(), by: z.string() }) })
  async acknowledge(
    @Body({ schema: acknowledgementRequestSchema }) { incident }: { readonly incident: string },
    @Req() request: Request,
  ) {
    await this.assertOpen(incident);
    const own = { incident, at: new Date(this.clock()).toISOString(), by: actorOf(request) };
    const stored = await this.change((current) => {
      const isKnown = current.acknowledgements.some((each) => each.incident === incident);
      return isKnown ? current : { ...current, acknowledgements: [...current.acknowledgements, own] };
    });
    return stored.acknowledgements.find((each) => each.incident === incident) ?? own;
  }

  private change(change: (current: AlertActions) => AlertActions): Promise<AlertActions> {
    return updateAlertActions(this.store, change, this.clock());
  }

  private async assertOpen(id: string): Promise<void> {
    const newest = await new AlertChain(this.store).newest();
    if (newest?.incidents.some((each) => each.id === id)) return;
    throw new MonitorError('unknown_incident', 'There is no such incident, or it has ended.');
  }
}

/** Alerts over HTTP, in processes with the role `api`. */
@Module({ controllers: [AlertsController, AlertActionsController] })
export class AlertsApiModule {}
