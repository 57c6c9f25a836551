/**
 * The page of a run in MLflow, next to that of another run.
 * @param known `https://…/#/experiments/<id>/runs/<id>`, with `?workspace=<name>` if the server has workspaces
 */
export function runUrl(known: string, experimentId: string, runId: string): string {
  const [base = '', page = ''] = known.split('/#/experiments/');
  const [, query] = page.split('?');
  const path = `${encodeURIComponent(experimentId)}/runs/${encodeURIComponent(runId)}`;
  return `${base}/#/experiments/${path}${query ? `?${query}` : ''}`;
}
