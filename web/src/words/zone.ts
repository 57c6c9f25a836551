import { computed, signal } from '@preact/signals';

const STORED = 'times-in-utc';

/** A preference of the reader, not of a link: it stays out of the address. */
export const inUtc = signal(read());

/** The zone of the times on the page; undefined: that of the browser. */
export const zone = computed(() => (inUtc.value ? 'UTC' : undefined));

/** The IANA name of the zone of the times on the page. */
export const readerZone = computed(() => zone.value ?? Intl.DateTimeFormat().resolvedOptions().timeZone);

/** Whether the reader's own zone is another one. */
export const hasOtherZone = !/^(UTC|Etc\/(UTC|GMT)|GMT)$/.test(
  Intl.DateTimeFormat().resolvedOptions().timeZone,
);

export function showUtc(utc: boolean): void {
  inUtc.value = utc;
  try {
    localStorage.setItem(STORED, String(utc));
  } catch {
    // A browser may forbid it; the choice then lasts as long as the page.
  }
}

function read(): boolean {
  try {
    return localStorage.getItem(STORED) === 'true';
  } catch {
    return false;
  }
}
