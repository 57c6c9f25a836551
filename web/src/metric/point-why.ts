import type { Series } from '../../../src/dashboard/contract/series.js';
import { formatWithUnit } from '../../../src/domain/format.js';
import { distanceText } from '../words/quantity.js';

/** Why a point has its status, in a few words: where it lies, and whether it is an outlier or its limits are new. */
export function pointWhy(
  { columns, unit, higher_is_better }: Series,
  index: number,
  outlier: boolean,
): string {
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
  if (point.value === null) return point.status === 'unmonitored' ? 'no threshold' : 'not a number';
  const parts = [
    point.status === 'unmonitored' ? 'no threshold' : (distanceText(point) ?? ''),
    outlier ? 'outlier' : '',
  ];
  const before = at(Math.max(0, index - 1));
  const changed = (['critical', 'warning'] as const).flatMap((name) => {
    const [old, now] = [before[`${name}_threshold`], point[`${name}_threshold`]];
    if (old === now || old === null || now === null) return [];
    return [`${name} limit changed from ${formatWithUnit(old, unit)} to ${formatWithUnit(now, unit)}`];
  });
  return [...parts, ...changed].filter((text) => text !== '').join('; ');
}
