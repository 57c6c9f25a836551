import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { getQueueToken } from '@nestjs/bullmq';
import { type DynamicModule, Logger, Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { CLOCK, type Clock } from '../config/runtime.js';
import { queueBackendOf, SETTINGS, type Settings } from '../config/settings.js';
import { NOTIFICATION_QUEUE } from '../queue/queue-names.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { readAlertPolicy } from './alert-policies.js';
import { addressDigest, channelEnvironment, messageContext, openChannel } from './channels/open-channels.js';
import { type DeliverySettings, deliveryPolicy, resentChannels, routeSettings } from './channels/routes.js';
import type { DeliveryOptions } from './delivery/deliver.js';
import { HeartbeatService } from './delivery/heartbeat.service.js';
import { DELIVERY, DELIVERY_POLICY, NotificationProcessor } from './delivery/notification.processor.js';
import { NotificationSweepService } from './delivery/notification-sweep.service.js';
import { Notifier, type NotifierOptions } from './delivery/notifier.js';
import type { Holder } from './delivery/outbox-changes.js';
import { EVALUATION_PROVIDERS } from './evaluation-providers.js';

/** Injection token of a function that returns the `DeliverySettings` in force. */
export const DELIVERY_SETTINGS = Symbol('DELIVERY_SETTINGS');
type CurrentSettings = () => Promise<DeliverySettings>;

const HOLDER = Symbol('HOLDER');

/** Delivers the messages of alerts. */
@Module({})
export class DeliveryModule {
  /** @param delivers whether this process is a worker @param scheduled whether it is a scheduler */
  static register(delivers: boolean, scheduled: boolean): DynamicModule {
    return {
      module: DeliveryModule,
      providers: [
        {
          provide: DELIVERY_SETTINGS,
          inject: [OBJECT_STORE],
          useFactory:
            (store: ObjectStore): CurrentSettings =>
            async () =>
              (await readAlertPolicy(store))?.delivery ?? {},
        },
        {
          provide: HOLDER,
          inject: [SETTINGS],
          useFactory: (settings: Settings): Holder => ({
            id: `${hostname()}/${process.pid}/${randomUUID()}`,
            isSole: queueBackendOf(settings) === 'embedded',
          }),
        },
        {
          provide: DELIVERY_POLICY,
          inject: [DELIVERY_SETTINGS, SETTINGS],
          useFactory: (current: CurrentSettings, settings: Settings): NotifierOptions['policy'] => {
            return async () => deliveryPolicy(await current(), settings);
          },
        },
        {
          provide: Notifier,
          inject: [
            OBJECT_STORE,
            getQueueToken(NOTIFICATION_QUEUE),
            HOLDER,
            CLOCK,
            DELIVERY_POLICY,
            DELIVERY_SETTINGS,
            SETTINGS,
          ],
          useFactory: (
            store: ObjectStore,
            queue: Queue,
            holder: Holder,
            clock: Clock,
            policy: NotifierOptions['policy'],
            current: CurrentSettings,
            settings: Settings,
          ) => {
            // Without a listener BullMQ prints errors. The queue connection logs outages.
            queue.on('error', () => undefined);
            const resent = async () => resentChannels(routeSettings(await current(), settings));
            return new Notifier({ store, queue, holder, clock, policy, resent });
          },
        },
        {
          provide: DELIVERY,
          inject: [OBJECT_STORE, HOLDER, CLOCK, DELIVERY_SETTINGS, SETTINGS],
          useFactory: (
            store: ObjectStore,
            holder: Holder,
            clock: Clock,
            current: CurrentSettings,
            settings: Settings,
          ): DeliveryOptions => ({
            store,
            holder,
            clock,
            random: Math.random,
            channelsOf: async (route) => {
              const env = channelEnvironment(settings);
              const found = routeSettings(await current(), settings).find(({ name }) => name === route);
              return (found?.channels ?? []).map((channel) => ({
                channel: openChannel(channel, env, settings),
                address: addressDigest(channel, env),
              }));
            },
            context: async () =>
              messageContext(settings, deliveryPolicy(await current(), settings).digest.time_zone),
            log: new Logger('Alerts'),
          }),
        },
        ...(delivers ? [NotificationProcessor, HeartbeatService] : []),
        ...(scheduled ? [NotificationSweepService, ...EVALUATION_PROVIDERS] : []),
      ],
      exports: [Notifier],
    };
  }
}
