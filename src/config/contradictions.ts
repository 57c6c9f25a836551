/** A wrong variable. The parts form the sentence `PORT is "x": expected …`. */
export interface SettingsProblem {
  readonly name: string;
  /** `is "x"`, `is missing`; never contains a secret. */
  readonly problem: string;
  /** What to do, without a full stop. */
  readonly remedy: string;
}

/** The first of a pair needs the second. */
const TOGETHER = [
  ['ALERT_WEBHOOK_URL', 'ALERT_WEBHOOK_SECRET'],
  ['ALERT_SMTP_URL', 'ALERT_EMAIL_FROM'],
  ['ALERT_EMAIL_TO', 'ALERT_SMTP_URL'],
] as const;

/**
 * Settings that contradict each other.
 * @param given unparsed values, so that these are reported together with wrong ones
 * @param redacted a value that is safe to print
 */
export function contradictions(
  given: Readonly<Record<string, string>>,
  redacted: (name: string, value: string) => string,
): SettingsProblem[] {
  const { BATCH_SIZE, MAX_RESULTS_PER_PAGE, QUEUE_BACKEND, REDIS_URL } = given;
  const problems: SettingsProblem[] = [];
  // NaN if one of them is missing or wrong.
  const difference = Number(BATCH_SIZE) - Number(MAX_RESULTS_PER_PAGE);
  if (difference !== 0 && !Number.isNaN(difference)) {
    problems.push({
      name: 'BATCH_SIZE',
      problem: `is ${BATCH_SIZE} but its alias MAX_RESULTS_PER_PAGE is ${MAX_RESULTS_PER_PAGE}`,
      remedy: 'set only one of the two',
    });
  }
  if (given.MLFLOW_TRACKING_PASSWORD && !given.MLFLOW_TRACKING_USERNAME) {
    problems.push({
      name: 'MLFLOW_TRACKING_PASSWORD',
      problem: 'is set without a user name',
      remedy: 'set MLFLOW_TRACKING_USERNAME too',
    });
  }
  if (QUEUE_BACKEND === 'redis' && !REDIS_URL) {
    problems.push({ name: 'QUEUE_BACKEND', problem: 'is "redis"', remedy: 'set REDIS_URL too' });
  }
  if (given.S3_ENDPOINT && !given.S3_BUCKET) {
    const problem = `is ${redacted('S3_ENDPOINT', given.S3_ENDPOINT)}`;
    problems.push({ name: 'S3_ENDPOINT', problem, remedy: 'set S3_BUCKET too' });
  }
  if (given.S3_SSE_KMS_KEY_ID && !given.S3_SSE?.startsWith('aws:kms')) {
    problems.push({
      name: 'S3_SSE_KMS_KEY_ID',
      problem: 'is set without KMS encryption',
      remedy: 'set S3_SSE=aws:kms or S3_SSE=aws:kms:dsse too',
    });
  }
  for (const [name, needed] of TOGETHER) {
    if (!given[name] || given[needed]) continue;
    problems.push({ name, problem: 'is set', remedy: `set ${needed} too` });
  }
  if (given.NODE_ENV === 'production' && !REDIS_URL && QUEUE_BACKEND !== 'embedded') {
    problems.push({
      name: 'NODE_ENV',
      problem: 'is "production"',
      remedy: 'set REDIS_URL, or QUEUE_BACKEND=embedded to run a single process without Redis',
    });
  }
  return problems;
}
