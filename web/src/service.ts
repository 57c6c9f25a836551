import type { PlatformCurrent } from '../../src/dashboard/contract.js';
import { failure, platformCurrent, setServiceTime, streaming } from './state.js';

const POLL_MS = 30_000;
/** Three heartbeats: a stream without events for longer is dead, even if the browser reports it as open. */
const SILENCE_MS = 45_000;
const TIMEOUT_MS = 15_000;

let lastEventAt = 0;
let loading: Promise<void> | undefined;
let reloadPending = false;

/** Fetches the platform. If a request is already running, fetches once more after it. */
function load(): Promise<void> {
  if (loading) {
    reloadPending = true;
    return loading;
  }
  loading = fetchPlatform().finally(() => {
    loading = undefined;
    if (reloadPending) {
      reloadPending = false;
      load();
    }
  });
  return loading;
}

async function fetchPlatform(): Promise<void> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch('/api/v1/platform/current', { cache: 'no-cache', signal });
    if (!response.ok) throw new Error(`It returned HTTP ${response.status} ${response.statusText}`.trim());
    platformCurrent.value = (await response.json()) as PlatformCurrent;
    setServiceTime(response.headers.get('Date'));
    failure.value = null;
  } catch (error) {
    const message = error instanceof Error && error.name === 'Error' ? error.message : 'It did not respond';
    failure.value = { message, since: failure.value?.since ?? Date.now() };
  }
}

/** Fetches the platform now and on every change event, and polls while there is no event stream. */
export function startUpdates(): void {
  load();
  subscribe();
  setInterval(() => {
    const silent = Date.now() - lastEventAt > SILENCE_MS;
    if (silent) streaming.value = false;
    if (!streaming.value || failure.value) load();
  }, POLL_MS);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) load();
  });
}

function subscribe(): void {
  const events = new EventSource('/api/v1/events');
  const eventReceived = () => {
    lastEventAt = Date.now();
    streaming.value = true;
  };
  events.onopen = () => {
    eventReceived();
    // Catches up on changes while the stream was not connected.
    load();
  };
  events.addEventListener('heartbeat', eventReceived);
  events.addEventListener('changed', () => {
    eventReceived();
    load();
  });
  events.onerror = () => {
    streaming.value = false;
    // The browser reconnects by itself unless the response was not an event stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(subscribe, POLL_MS);
  };
}
