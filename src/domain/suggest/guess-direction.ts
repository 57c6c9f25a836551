/** Words in names of metrics where higher is better. Of two letters only if they are customary. */
const HIGHER = new Set(
  (
    'accuracy acc auc auroc auprc aupr ap map precision recall sensitivity specificity f1 f2 fbeta fscore score r2 ' +
    'ndcg mrr hit hits bleu rouge rougel meteor chrf iou miou dice jaccard kappa mcc gini correlation pearson spearman ' +
    'kendall silhouette throughput reward lift tpr tnr coverage success pass similarity likelihood psnr ssim'
  ).split(' '),
);
/** The same where lower is better. */
const LOWER = new Set(
  (
    'loss logloss nll error errors err mae mse rmse rmsle mape smape wape msle perplexity ppl wer cer ter fpr fnr brier ' +
    'ece latency duration time runtime seconds ms delay lag cost regret divergence kl drift psi deviance entropyloss ' +
    'failure failures rejected missing bias'
  ).split(' '),
);

/**
 * Whether higher is better, guessed from the words of a metric's name: `false` for `val_loss`, `true` for `macroF1`.
 * `null` if no word is known, or if they disagree (`accuracy_loss`).
 */
export function guessDirection(name: string): boolean | null {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .flatMap((word) => [word, word.replace(/\d+$/, '')]);
  const higher = words.some((word) => HIGHER.has(word));
  const lower = words.some((word) => LOWER.has(word));
  return higher === lower ? null : higher;
}
