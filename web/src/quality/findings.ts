import type { QualityCheck, QualityUnit } from '../../../src/domain/quality/checks.js';
import type { Quality } from '../../../src/quality/contract.js';

type Check = Quality['checks'][number];

/** A failing check, of all applications together or of one application. */
export interface Finding {
  readonly check: Check;
  readonly title: string;
  /** null: it could not be measured. In the unit of the check. */
  readonly measured: number | null;
  /** The application that `measured` is about; null: all together. */
  readonly measuredIn: string | null;
  readonly since: string;
  /** Why it could not be measured. */
  readonly error: string | null;
  /** The names of the applications that fail. */
  readonly applications: readonly string[];
}

/** What is wrong if a check fails. */
const TITLES: Readonly<Record<QualityCheck, string>> = {
  null_values: 'Metrics without a value',
  duplicate_records: 'Records that are stored twice',
  data_freshness: 'No new runs for unusually long',
  metric_ranges: 'Values outside their range',
  schema_compliance: 'Records that do not fit their schema',
  threshold_order: 'Limits in the wrong order',
  catalog_coverage: 'Metrics without a threshold',
  volume: 'Number of runs far from the usual',
  stuck_runs: 'Runs that do not end',
};

/** The failing checks, errors first: those of all applications together, and those that only single applications fail. */
export function platformFindings({ checks }: Quality): Finding[] {
  return errorsFirst(
    checks.flatMap((check): Finding[] => {
      const applications = check.applications.map(({ application }) => application);
      if (!check.passed) return [{ ...findingOf(check, check), applications }];
      const [worst] = [...check.applications].sort((a, b) => badness(check, b) - badness(check, a));
      if (!worst) return [];
      const since = check.applications.map((each) => each.since).sort()[0] ?? worst.since;
      return [{ ...findingOf(check, worst), measuredIn: worst.application, since, applications }];
    }),
  );
}

/** The checks that an application fails, errors first. */
export function applicationFindings({ checks }: Quality, application: string): Finding[] {
  return errorsFirst(
    checks.flatMap((check): Finding[] => {
      const own = check.applications.find((each) => each.application === application);
      return own ? [{ ...findingOf(check, own), applications: [application] }] : [];
    }),
  );
}

type Judged = Pick<Check, 'measured' | 'since' | 'sample'>;

function findingOf(check: Check, { measured, since, sample }: Judged): Omit<Finding, 'applications'> {
  const error = measured === null ? sample[0]?.error : undefined;
  return {
    check,
    title: TITLES[check.check_name],
    measured,
    measuredIn: null,
    since,
    error: typeof error === 'string' ? error : null,
  };
}

const badness = ({ bound }: Check, { measured }: Judged): number =>
  (measured ?? 0) * (bound === 'most' ? 1 : -1);

const errorsFirst = (findings: Finding[]): Finding[] =>
  findings.sort((a, b) => Number(b.check.severity === 'error') - Number(a.check.severity === 'error'));

/** `12.5 %`, `1 record`, `4.2 × the usual`; null: `not measured` */
export function amountText(amount: number | null, unit: QualityUnit): string {
  if (amount === null) return 'not measured';
  const digits = amount.toLocaleString('en', { maximumSignificantDigits: amount < 100 ? 3 : 15 });
  if (unit === '%') return `${digits}\u00a0%`;
  if (unit === 'times') return `${digits}\u00a0× the usual`;
  return `${digits}\u00a0${amount === 1 ? 'record' : 'records'}`;
}

/** `limit: at most 5 %` */
export const limitText = ({ bound, limit, unit }: Pick<Check, 'bound' | 'limit' | 'unit'>): string =>
  `limit: at ${bound} ${amountText(limit, unit)}`;

/** The text of the API, divided into words and `code` between backticks: every second part is code. */
export const codeParts = (text: string): string[] => text.split('`');
