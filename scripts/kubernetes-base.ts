import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Manifest, render, valuesOf } from './chart.js';

/** The kustomize bases, each rendered from the value set of this name. */
export const BASES = ['single', 'roles'] as const;
export const fileOf = (base: (typeof BASES)[number]): string =>
  `deploy/kubernetes/${base}/mlflow-monitor.yaml`;

const HEADER = `# Rendered from the chart by \`npm run kubernetes\`: do not edit.\n`;

/** Whether Helm, not the object, is described by a label or annotation. */
const isHelms = (name: string): boolean =>
  name.startsWith('helm.sh/') || name === 'app.kubernetes.io/managed-by';

function withoutHelm(object: Manifest): Manifest {
  const without = (map: Readonly<Record<string, string>> = {}) => {
    const kept = Object.entries(map).filter(([name]) => !isHelms(name));
    return kept.length === 0 ? undefined : Object.fromEntries(kept);
  };
  const { labels, annotations, ...metadata } = object.metadata;
  const kept = { ...metadata, labels: without(labels), annotations: without(annotations) };
  return { ...object, metadata: kept };
}

/** The rules for the Prometheus Operator, by themselves: they are the same for each base. */
export const RULE_FILE = 'deploy/kubernetes/prometheus-rule/prometheusrule.yaml';

export async function prometheusRule(python: string): Promise<string> {
  const values = { ...(await valuesOf('single')), prometheusRule: { enabled: true } };
  const [rendered] = await render(python, [values]);
  const rules = (rendered?.objects ?? []).filter(({ kind }) => kind === 'PrometheusRule');
  return HEADER + rules.map((each) => stringify(withoutHelm(each))).join('---\n');
}

/** The files of all bases, by base. */
export async function kubernetesBases(python: string): Promise<Map<(typeof BASES)[number], string>> {
  const rendered = await render(python, await Promise.all(BASES.map(valuesOf)));
  return new Map(
    BASES.map((base, i) => {
      const objects = [...(rendered[i]?.objects ?? [])]
        .map(withoutHelm)
        .sort((a, b) => `${a.kind} ${a.metadata.name}`.localeCompare(`${b.kind} ${b.metadata.name}`, 'en'));
      // No anchors: kustomize patches would change every place that uses one.
      const documents = objects.map((each) => stringify(each, { aliasDuplicateObjects: false }));
      return [base, HEADER + documents.join('---\n')];
    }),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const mlflow = execFileSync('sh', ['test/independent/venv.sh'], { encoding: 'utf8' }).trim();
  const python = join(dirname(mlflow), 'python');
  const bases = await kubernetesBases(python);
  for (const [base, text] of bases) writeFileSync(fileOf(base), text);
  writeFileSync(RULE_FILE, await prometheusRule(python));
}
