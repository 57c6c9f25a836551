/**
 * The page of a run in MLflow, next to that of another run.
 * @param known `https://…/#/experiments/<id>/runs/<id>`
 */
export function runUrl(known: string, experimentId: string, runId: string): string {
  const [base = ''] = known.split('/#/experiments/');
  return `${base}/#/experiments/${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
}
