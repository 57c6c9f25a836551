import type { ComponentChildren } from 'preact';
import { formatDuration } from '../../../src/domain/format.js';
import type { Light, MetricStatus } from '../../../src/domain/model.js';
import { serviceTime } from '../service/clock.js';
import { exactTime } from '../words/time.js';
import { STATUS_LABELS } from '../words/words.js';
import { zone } from '../words/zone.js';

const SHAPES: Readonly<Record<Light | MetricStatus, preact.JSX.Element>> = {
  critical: <rect x="1.5" y="1.5" width="11" height="11" rx="1.5" />,
  warning: <path d="M7 1.2 13.4 12.6H.6Z" />,
  healthy: <circle cx="7" cy="7" r="5.6" />,
  invalid: <path d="m3 3 8 8m0-8-8 8" class="stroke" />,
  no_data: <circle cx="7" cy="7" r="5" class="stroke dashed" />,
  unmonitored: <path d="M7 1.4 12.6 7 7 12.6 1.4 7Z" class="stroke" />,
};

/** The icon of a status. It is hidden from screen readers because the label is always next to it. */
export function Shape({ of }: { of: Light | MetricStatus }) {
  return (
    <svg class={`shape ${of}`} viewBox="0 0 14 14" width="13" height="13" aria-hidden="true">
      {SHAPES[of]}
    </svg>
  );
}

export function Status({ of, children }: { of: Light | MetricStatus; children?: ComponentChildren }) {
  return (
    <span class={`status ${of}`}>
      <Shape of={of} />
      {children ?? STATUS_LABELS[of]}
    </span>
  );
}

/** A status that is forecast: only the outline of its shape, and its word. */
export function LikelyStatus({ of }: { of: 'critical' | 'warning' }) {
  return (
    <span class="status likely">
      <svg class="shape outlined" viewBox="0 0 14 14" width="13" height="13" aria-hidden="true">
        {SHAPES[of]}
      </svg>
      Likely {of}
    </span>
  );
}

const STATES = {
  Running: 'M7 1.8a5.2 5.2 0 1 0 .01 0M7 4v3.2l2.2 1.4',
  Failed: 'M7 1.8a5.2 5.2 0 1 0 .01 0M4.4 7h5.2',
  Killed: 'M7 1.8a5.2 5.2 0 1 0 .01 0M4.4 7h5.2',
} as const;

/** The state of a run that has no status: it has not ended, or ended before a metric could be judged. */
export function State({ name }: { name: keyof typeof STATES }) {
  return (
    <span class="status no_data">
      <svg class="shape" viewBox="0 0 14 14" width="13" height="13" aria-hidden="true">
        <path class="stroke thin" d={STATES[name]} />
      </svg>
      {name}
    </span>
  );
}

/** How long ago something was; the exact time is the tooltip. */
export function Age({ at, before = '', after = '' }: { at: string; before?: string; after?: string }) {
  const age = formatDuration(Math.max(0, serviceTime.value - Date.parse(at)));
  return (
    <time dateTime={at} title={exactTime(at, zone.value)}>
      {before}
      {age.replaceAll(' ', '\u00a0')}
      {after}
    </time>
  );
}
