/** By the reason in the dataset `quarantine`: what it means and what to do, for people who log runs. */
const WORDS: Readonly<Record<string, string>> = {
  'it has no run_id': 'MLflow sent a run without an id. Check the database of the tracking server.',
  'its run_id is not one':
    'The id of the run has other characters than letters, digits, - and _, or more than 64. MLflow itself creates no such ids.',
  'it has no experiment_id':
    'MLflow sent a run without an experiment. Check the database of the tracking server.',
  "its status is not one of MLflow's":
    'The status of the run is not RUNNING, SCHEDULED, FINISHED, FAILED or KILLED. Set one of these with the MLflow client.',
  "its lifecycle_stage is not one of MLflow's":
    'The run is neither active nor deleted. Check the database of the tracking server.',
  'its start_time is not a time':
    'The start of the run is not between 1970 and the year 9999. It is in milliseconds: was it logged in microseconds or nanoseconds?',
  'its end_time is not a time':
    'The end of the run is not between 1970 and the year 9999. It is in milliseconds: was it logged in microseconds or nanoseconds?',
  'its metrics are not a list of metrics':
    'The metrics of the run cannot be read as a list. A proxy may have changed the response.',
  'its params are not a list of params':
    'The params of the run cannot be read as a list. A proxy may have changed the response.',
  'its tags are not a list of tags':
    'The tags of the run cannot be read as a list. A proxy may have changed the response.',
  'one of its metrics has no key, or a value, step or timestamp that is not a number':
    'A metric of the run has no name, or a value, step or timestamp that is not a number. Log it again with numbers.',
  'one of its params has no key': 'A param of the run has no name.',
  'one of its tags has no key': 'A tag of the run has no name.',
};

/** What the reason of a record in quarantine means. A reason that says what to do stays as it is. */
export const describeQuarantineReason = (reason: string): string =>
  (Object.hasOwn(WORDS, reason) ? WORDS[reason] : undefined) ?? reason;
