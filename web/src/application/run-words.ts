import type { ListedRun } from '../../../src/dashboard/contract/runs.js';
import { formatDuration } from '../../../src/domain/format.js';
import type { MetricStatus } from '../../../src/domain/model.js';
import { distanceText } from '../words/quantity.js';
import { plural, STATUS_LABELS } from '../words/words.js';

type Run = Pick<
  ListedRun,
  | 'run_status'
  | 'eligible'
  | 'status'
  | 'worst_metric'
  | 'total_metrics'
  | 'evaluated_metrics'
  | 'started_at'
  | 'ended_at'
>;

export const isRunning = ({ run_status }: Pick<Run, 'run_status'>): boolean =>
  run_status === 'RUNNING' || run_status === 'SCHEDULED';

/** How a run ended, if it did not finish as planned; null if it did. */
export function endText({ run_status }: Pick<Run, 'run_status'>): 'Failed' | 'Killed' | null {
  if (run_status === 'FAILED') return 'Failed';
  return run_status === 'KILLED' ? 'Killed' : null;
}

/** `8 min`; of a running one `not ended`; null if MLflow does not know. */
export function durationText(run: Pick<Run, 'started_at' | 'ended_at' | 'run_status'>): string | null {
  if (run.ended_at === null) return isRunning(run) ? 'not ended' : null;
  if (run.started_at === null) return null;
  return formatDuration(Math.max(0, Date.parse(run.ended_at) - Date.parse(run.started_at)));
}

/** Why a run has its status, in a few words. */
export function whyText(run: Run): string {
  const { worst_metric: worst, total_metrics, evaluated_metrics } = run;
  const end = endText(run);
  const counts = isRunning(run) && !run.eligible ? 'so far; counts when it ends' : '';
  if (total_metrics === 0) {
    return joined([end === null ? 'no metric logged' : 'ended before it logged a metric', counts]);
  }
  if (worst === null || evaluated_metrics === 0) return joined(['no metric has a threshold', counts]);
  if (worst.value === null) return joined(['not a number', counts]);
  return joined([distanceText(worst) ?? '', counts]);
}

const joined = (parts: readonly string[]): string => parts.filter((part) => part !== '').join(', ');

type Children = NonNullable<ListedRun['children']>;
const ORDER: readonly MetricStatus[] = ['critical', 'invalid', 'warning', 'healthy', 'unmonitored'];

/** `24 children: 2 critical, 18 healthy, 4 running` */
export function childrenText(children: Children): string {
  const parts = ORDER.filter((status) => children[status] > 0).map(
    (status) => `${children[status]} ${STATUS_LABELS[status].toLowerCase()}`,
  );
  if (children.running > 0) parts.push(`${children.running} running`);
  if (children.failed > 0) parts.push(`${children.failed} failed`);
  return `${plural(children.total, 'child run')}: ${parts.join(', ')}`;
}

/** After the children: `, not counted`; of some: `, 3 of them not counted`. */
export function ignoredText({ total, ignored }: Children): string {
  if (ignored === 0) return '';
  return ignored === total ? ', not counted' : `, ${ignored} of them not counted`;
}
