import { computed, signal } from '@preact/signals';
import type { PlatformCurrent } from '../../src/dashboard/contract.js';

/** What the service answered last; null: nothing yet. */
export const current = signal<PlatformCurrent | null>(null);
/** Why the service could not be asked, and since when (ms); null: it answers. */
export const problem = signal<{ readonly message: string; readonly since: number } | null>(null);
/** Whether the service tells by itself what changed; else it is asked every half minute. */
export const live = signal(false);

const browserNow = signal(Date.now());
/** How far the clock of the service is ahead of this machine's, ms. */
const ahead = signal(0);
/** The time by the service's clock, ms: ages hold although this machine's clock is wrong. */
export const now = computed(() => browserNow.value + ahead.value);

const TICK_MS = 5_000;

export function startClock(): void {
  setInterval(() => {
    browserNow.value = Date.now();
  }, TICK_MS);
}

/** @param date the `Date` of an answer, to the second */
export function setServiceTime(date: string | null): void {
  const time = date === null ? Number.NaN : Date.parse(date);
  const difference = time - Date.now();
  // Less than two seconds is the way and the rounding.
  if (!Number.isNaN(time)) ahead.value = Math.abs(difference) < 2_000 ? 0 : difference;
  browserNow.value = Date.now();
}
