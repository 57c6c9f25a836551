/**
 * @param mlflowUi the address of MLflow for links, without a slash at the end. Its query names the workspace: MLflow's pages
 * expect it after the path that follows the `#`.
 */
export const experimentUrl = (mlflowUi: string, experimentId: string): string =>
  pageUrl(mlflowUi, `experiments/${encodeURIComponent(experimentId)}`);

export const runUrl = (
  mlflowUi: string,
  run: { readonly run_id: string; readonly experiment_id: string },
): string =>
  pageUrl(
    mlflowUi,
    `experiments/${encodeURIComponent(run.experiment_id)}/runs/${encodeURIComponent(run.run_id)}`,
  );

function pageUrl(mlflowUi: string, path: string): string {
  const [address = '', query] = mlflowUi.split('?');
  return `${address}/#/${path}${query ? `?${query}` : ''}`;
}
