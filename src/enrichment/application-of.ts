import type { StoredExperiment } from '../state/experiments.js';

/** An experiment and what names the application of its runs, as the statements read it. */
export interface ScopedExperiment {
  readonly experiment_id: string;
  /** null if it has no name. */
  readonly name: string | null;
  /** The value of the tag that names its application; null if it has none. */
  readonly tag: string | null;
  /** Whether its child runs count, by its tag `monitor.nested` or a pattern of its name; absent if neither says so. */
  readonly nested?: NestedChoice;
}

const NESTED_TAG = 'monitor.nested';
const NESTED_CHOICES = ['count', 'ignore'] as const;
type NestedChoice = (typeof NESTED_CHOICES)[number];

/** The choice for the child runs of an experiment that have no tag themselves (judge_runs.sql). */
export function nestedChoice(
  experiment_id: string,
  experiment: StoredExperiment | undefined,
  isCounted: (name: string) => boolean,
): NestedChoice | undefined {
  const tag = experiment?.tags[NESTED_TAG];
  return (
    NESTED_CHOICES.find((choice) => choice === tag) ??
    (isCounted(experiment?.name ?? experiment_id) ? 'count' : undefined)
  );
}

export function scopedExperiment(
  experiment_id: string,
  experiment: StoredExperiment | undefined,
  applicationTag: string,
): ScopedExperiment {
  const tag = experiment?.tags[applicationTag];
  return {
    experiment_id,
    name: experiment?.name.trim() ? experiment.name : null,
    tag: tag?.trim() ? tag : null,
  };
}

/** The application of the runs of an experiment that name none themselves (judge_runs.sql). */
export function applicationOf(
  experiment_id: string,
  experiment: StoredExperiment | undefined,
  applicationTag: string,
): string {
  const { tag, name } = scopedExperiment(experiment_id, experiment, applicationTag);
  return tag ?? name ?? experiment_id;
}
