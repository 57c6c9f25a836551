import type { PlatformCurrent } from '../../src/dashboard/contract.js';
import { current, live, problem, setServiceTime } from './state.js';

const POLL_MS = 30_000;
/** Three heartbeats: a stream that is silent for longer is dead, whatever the browser believes. */
const SILENCE_MS = 45_000;
const TIMEOUT_MS = 15_000;

let heard = 0;
let loading: Promise<void> | undefined;
let again = false;

/** Asks for the platform; while an answer is under way, once more after it. */
export function load(): Promise<void> {
  if (loading) {
    again = true;
    return loading;
  }
  loading = ask().finally(() => {
    loading = undefined;
    if (again) {
      again = false;
      load();
    }
  });
  return loading;
}

async function ask(): Promise<void> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch('/api/v1/platform/current', { cache: 'no-cache', signal });
    if (!answer.ok) throw new Error(`It answered ${answer.status} ${answer.statusText}`.trim());
    current.value = (await answer.json()) as PlatformCurrent;
    setServiceTime(answer.headers.get('Date'));
    problem.value = null;
  } catch (error) {
    const message = error instanceof Error && error.name === 'Error' ? error.message : 'It cannot be reached';
    problem.value = { message, since: problem.value?.since ?? Date.now() };
  }
}

/** Asks now, whenever the service says that something changed, and every half minute while it says nothing. */
export function follow(): void {
  load();
  listen();
  setInterval(() => {
    const silent = Date.now() - heard > SILENCE_MS;
    if (silent) live.value = false;
    if (!live.value || problem.value) load();
  }, POLL_MS);
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) load();
  });
}

function listen(): void {
  const events = new EventSource('/api/v1/events');
  const hear = () => {
    heard = Date.now();
    live.value = true;
  };
  events.onopen = () => {
    hear();
    // What changed while nobody listened.
    load();
  };
  events.addEventListener('heartbeat', hear);
  events.addEventListener('changed', () => {
    hear();
    load();
  });
  events.onerror = () => {
    live.value = false;
    // A browser tries again by itself, except after an answer that is no stream.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, POLL_MS);
  };
}
