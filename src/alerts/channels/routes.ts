import { z } from 'zod';
import { timezone } from '../../config/setting.js';
import type { Environment, Settings } from '../../config/settings.js';
import { ALERT_SEVERITIES } from '../../domain/alerts/incident.js';
import type { DeliveryPolicy } from '../../domain/alerts/routes.js';
import { CHANNEL_KINDS } from './channel-table.js';
import { channelProblems, channelSchema, kindOf } from './open-channels.js';

const listOf = <S extends z.ZodType>(item: S) =>
  z
    .union([item, z.array(item)])
    .transform((value): z.output<S>[] => (Array.isArray(value) ? value : [value]))
    .default([]);
const patterns = listOf(z.string().min(1).max(200));
const severities = listOf(z.enum(ALERT_SEVERITIES));
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time such as "09:00", in quotes');

/** A route in `alerts.yaml`: which incidents, and the channels that are tried one after another. */
export const routeSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'expected up to 40 lower-case letters, digits and -'),
  owner: patterns,
  application: patterns,
  severity: severities,
  continue: z.boolean().default(false),
  channels: z.array(channelSchema).min(1, 'expected at least one channel').max(5),
});
export type RouteSettings = z.infer<typeof routeSchema>;

export const routesSchema = z
  .array(routeSchema)
  .max(100)
  .refine((routes) => new Set(routes.map(({ name }) => name)).size === routes.length, {
    error: 'expected a different name for each route',
  });

/** The key `quiet_hours` of `alerts.yaml`. */
export const quietHoursSchema = z.strictObject({
  from: clock,
  to: clock,
  time_zone: timezone(),
  severity: severities.transform((chosen) => (chosen.length === 0 ? [...ALERT_SEVERITIES] : chosen)),
});

/** The key `digest` of `alerts.yaml`. */
export const digestSchema = z.strictObject({ at: clock.default('09:00'), time_zone: timezone().optional() });

/** What `alerts.yaml` says about delivery; all of it may be absent. */
export interface DeliverySettings {
  readonly routes?: readonly RouteSettings[] | undefined;
  readonly quiet_hours?: z.infer<typeof quietHoursSchema> | undefined;
  readonly digest?: z.infer<typeof digestSchema> | undefined;
}

/** The routes of the file; without any, one for each channel that is set by environment variables. */
export function routeSettings(file: DeliverySettings, settings: Settings): readonly RouteSettings[] {
  if (file.routes && file.routes.length > 0) return file.routes;
  return CHANNEL_KINDS.flatMap((kind) => {
    const channel = kind.fromSettings?.(settings);
    if (!channel) return [];
    return routeSchema.parse({
      name: kind.type,
      continue: true,
      channels: [{ type: kind.type, ...channel }],
    });
  });
}

export function deliveryPolicy(file: DeliverySettings, settings: Settings): DeliveryPolicy {
  const { at = '09:00', time_zone = settings.SCHEDULE_TIMEZONE } = file.digest ?? {};
  return {
    routes: routeSettings(file, settings).map((route) => ({
      ...route,
      digest: route.channels.some((channel) => kindOf(channel).digest),
      ends: route.channels.some((channel) => kindOf(channel).ends),
    })),
    quiet_hours: file.quiet_hours ?? null,
    digest: { at, time_zone },
  };
}

/** The channels that need the state each minute. */
export const resentChannels = (routes: readonly RouteSettings[]) =>
  routes.flatMap(({ name, channels }) =>
    channels.flatMap((each, channel) => (kindOf(each).resent ? [{ route: name, channel }] : [])),
  );

/** What is wrong with the channels in this environment: `route fraud: SLACK_FRAUD_URL is not set`. */
export function routeProblems(
  routes: readonly RouteSettings[],
  env: Environment,
  settings: Settings,
): string[] {
  return routes.flatMap(({ name, channels }) =>
    channels.flatMap((channel) =>
      channelProblems(channel, env, settings).map((problem) => `route ${name}: ${problem}`),
    ),
  );
}
