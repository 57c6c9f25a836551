import { computed, signal } from '@preact/signals';

const browserTime = signal(Date.now());
/** How far the service's clock is ahead of the browser's, ms. */
const clockOffset = signal(0);
/** The current time by the service's clock, ms, so that ages are right even if the browser's clock is wrong. */
export const serviceTime = computed(() => browserTime.value + clockOffset.value);

const TICK_MS = 5_000;

export function startClock(): void {
  setInterval(() => {
    browserTime.value = Date.now();
  }, TICK_MS);
}

/** @param date the `Date` header of a response; its resolution is one second */
export function setServiceTime(date: string | null): void {
  const time = date === null ? Number.NaN : Date.parse(date);
  const difference = time - Date.now();
  // Differences below two seconds come from the network and the resolution of the header.
  if (!Number.isNaN(time)) clockOffset.value = Math.abs(difference) < 2_000 ? 0 : difference;
  browserTime.value = Date.now();
}
