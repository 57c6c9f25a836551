import type { GateMetric } from '../../domain/gate.js';
import { escapeControls } from '../../domain/text.js';
import type { Verdict } from '../../gate/contract.js';
import { describeMetric, describeRun, headline } from './describe-verdict.js';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
/** XML 1.0 allows neither most control characters, which `escapeControls` replaces, nor U+FFFE and U+FFFF. */
const escaped = (text: string): string =>
  escapeControls(text)
    .replaceAll(/[\ufffe\uffff]/g, '\ufffd')
    .replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? character);

type Outcome = 'failure' | 'error' | 'skipped' | null;

/** A test case for the verdict, and one per metric: a metric that fails is a failure, an invalid one an error. */
export function reportJunit(verdict: Verdict): string {
  const { run, metrics } = verdict;
  const suite = run?.application ?? 'mlflow-monitor';
  const outcome: Outcome =
    verdict.verdict === 'pass' ? null : verdict.verdict === 'fail' ? 'failure' : 'error';
  const cases = [
    { name: 'verdict', outcome, message: headline(verdict) },
    ...metrics.map((metric) => ({
      name: metric.metric_name,
      outcome: outcomeOf(metric),
      message: describeMetric(metric),
    })),
  ];
  const count = (wanted: Outcome) => cases.filter((each) => each.outcome === wanted).length;
  const totals = `tests="${cases.length}" failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="mlflow-monitor check" ${totals}>`,
    `  <testsuite name="${escaped(run ? describeRun(run) : suite)}" ${totals}>`,
    ...cases.map(({ name, outcome: result, message }) => {
      const open = `    <testcase classname="${escaped(suite)}" name="${escaped(name)}"`;
      return result === null ? `${open}/>` : `${open}><${result} message="${escaped(message)}"/></testcase>`;
    }),
    '  </testsuite>',
    '</testsuites>',
  ].join('\n');
}

function outcomeOf({ fails, status }: GateMetric): Outcome {
  if (fails) return 'failure';
  if (status === 'invalid') return 'error';
  return status === 'unmonitored' ? 'skipped' : null;
}
