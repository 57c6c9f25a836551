import type { Explanation } from '../../../src/dashboard/load-explanations.js';
import { formatDuration, formatWithUnit } from '../../../src/domain/format.js';
import { valueText } from '../words/quantity.js';
import { STATUS_LABELS } from '../words/words.js';

export type { Explanation };

type Side = Explanation['current'];

/** The response of `/explanation` in words. @param timeText how a time is written */
export function explanationText(
  { current, previous, cause, at, ended_at }: Explanation,
  unit: string | null,
  timeText: (at: string) => string,
): string {
  const now = `${measured(current, unit)} is ${labelOf(current)}`;
  if (previous === null) return `${now}. No run of the 7 days before has this metric.`;
  const before = `${measured(previous, unit)}, ${labelOf(previous)}`;
  if (cause === 'new_threshold') {
    const by = current.threshold_updated_by === null ? '' : ` by ${current.threshold_updated_by}`;
    return `${now} since the limits changed${by}: by the limits before (${limitsText(previous, unit)}) the same value is ${labelOf(previous)}. They are now ${limitsText(current, unit)}.`;
  }
  if (cause === 'late_data') {
    const late =
      ended_at === null ? '' : `, ${formatDuration(Date.parse(at) - Date.parse(ended_at))} after it ended`;
    return `${now}. The run was first seen on ${timeText(at)}${late}. The run before it had ${before}.`;
  }
  if (cause === null) return `${now}, as the run before it (${measured(previous, unit)}).`;
  return `${now}; the run before it had ${before}. The value changed, not the limits (${limitsText(current, unit)}).`;
}

const labelOf = ({ status }: Side): string => {
  if (status === 'unmonitored') return 'not judged';
  return status === 'warning' ? 'a warning' : STATUS_LABELS[status].toLowerCase();
};
const measured = ({ value }: Side, unit: string | null): string =>
  value === null ? 'an invalid value' : valueText({ value, invalid_kind: null, unit });

function limitsText(side: Side, unit: string | null): string {
  const word = side.higher_is_better ? 'below' : 'above';
  const parts = [
    side.critical_threshold === null
      ? null
      : `critical ${word} ${formatWithUnit(side.critical_threshold, unit)}`,
    side.warning_threshold === null
      ? null
      : `warning ${word} ${formatWithUnit(side.warning_threshold, unit)}`,
  ].filter((text) => text !== null);
  return parts.length === 0 ? 'none' : parts.join(', ');
}
