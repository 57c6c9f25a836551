import type { ComponentChildren } from 'preact';
import { plural } from '../words/words.js';
import type { Incident } from './open-incidents.js';

/** Alerts as rows, the worst first. Those that are part of another one have its cause, so they are folded below. */
export function AlertList({
  of,
  row,
}: {
  of: readonly Incident[];
  row: (each: Incident) => ComponentChildren;
}) {
  const own = of.filter(({ inhibited_by }) => inhibited_by === null);
  const parts = of.filter(({ inhibited_by }) => inhibited_by !== null);
  if (own.length === 0) return <ul class="attention alerts">{parts.map(row)}</ul>;
  return (
    <>
      <ul class="attention alerts">{own.map(row)}</ul>
      {parts.length > 0 && (
        <details class="alert-parts">
          <summary>{plural(parts.length, 'more alert')} with the same cause</summary>
          <ul class="attention alerts">{parts.map(row)}</ul>
        </details>
      )}
    </>
  );
}
