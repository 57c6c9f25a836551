import { computed, signal } from '@preact/signals';
import type { Alerts } from '../../../src/alerts/load-alerts.js';
import type { PlatformCurrent } from '../../../src/dashboard/contract.js';
import { isSettled, reloadAll, resourceAt } from './resource.js';

const POLL_MS = 30_000;
/** Three heartbeats: a stream without events for longer is dead, even if the browser reports it as open. */
const SILENCE_MS = 45_000;

/** The state of the platform, which every page shows a part of. */
const platform = resourceAt<PlatformCurrent>('api/v1/platform/current');
/** Shown by the header as long as the page is open. */
platform.users++;
const openAlerts = resourceAt<Alerts>('api/v1/alerts');
openAlerts.users++;
/** The alerts, of which every page shows a part. */
export const alerts = computed(() => openAlerts.state.value);
/** null before the first response. */
export const platformCurrent = computed(() => platform.state.value.data ?? null);
/** Why the last request failed; null if it succeeded. */
export const failure = computed(() => platform.state.value.failure);
/** Whether the first request has ended. */
export const isPlatformSettled = computed(() => isSettled(platform.state.value));
/** Whether the event stream is connected; without it the page polls. */
export const streaming = signal(false);

let lastEventAt = 0;

/** Requests what the page shows now and on every change event, and polls while there is no event stream. */
export function startUpdates(): void {
  platform.load();
  openAlerts.load();
  subscribe();
  setInterval(() => {
    const silent = Date.now() - lastEventAt > SILENCE_MS;
    if (silent) streaming.value = false;
    reloadAll(streaming.value);
  }, POLL_MS);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) reloadAll();
  });
}

function subscribe(): void {
  const events = new EventSource('api/v1/events');
  const eventReceived = () => {
    lastEventAt = Date.now();
    streaming.value = true;
  };
  events.onopen = () => {
    eventReceived();
    // Catches up on changes while the stream was not connected.
    reloadAll();
  };
  events.addEventListener('heartbeat', eventReceived);
  events.addEventListener('changed', () => {
    eventReceived();
    reloadAll();
  });
  events.addEventListener('alerts', () => {
    eventReceived();
    openAlerts.load();
  });
  events.onerror = () => {
    streaming.value = false;
    // The browser reconnects by itself unless the response was not an event stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(subscribe, POLL_MS);
  };
}
