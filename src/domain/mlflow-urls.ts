/** @param mlflowUi the address of MLflow for links, without a slash at the end */
export const experimentUrl = (mlflowUi: string, experimentId: string): string =>
  `${mlflowUi}/#/experiments/${encodeURIComponent(experimentId)}`;

export const runUrl = (
  mlflowUi: string,
  run: { readonly run_id: string; readonly experiment_id: string },
): string => `${experimentUrl(mlflowUi, run.experiment_id)}/runs/${encodeURIComponent(run.run_id)}`;
