import type { Series } from '../../../src/dashboard/contract/series.js';
import { formatWithUnit } from '../../../src/domain/format.js';
import { distanceText } from '../words/quantity.js';

/** Why a point has its status, in a few words: where it lies, and whether its limits are new. */
export function pointWhy({ columns, unit, higher_is_better }: Series, index: number): string {
  const at = (i: number) => ({
    status: columns.status[i] ?? ('unmonitored' as const),
    value: columns.value[i] ?? null,
    invalid_kind: columns.invalid_kind[i] ?? null,
    critical_threshold: columns.critical_threshold[i] ?? null,
    warning_threshold: columns.warning_threshold[i] ?? null,
    unit,
    higher_is_better,
  });
  const point = at(index);
  if (point.status === 'unmonitored') return 'no threshold';
  if (point.value === null) return 'not a number';
  const place = distanceText(point) ?? '';
  if (index === 0) return place;
  const before = at(index - 1);
  const changed = (['critical', 'warning'] as const).flatMap((name) => {
    const [old, now] = [before[`${name}_threshold`], point[`${name}_threshold`]];
    if (old === now || old === null || now === null) return [];
    return [`${name} limit changed from ${formatWithUnit(old, unit)} to ${formatWithUnit(now, unit)}`];
  });
  return [place, ...changed].filter((text) => text !== '').join('; ');
}
