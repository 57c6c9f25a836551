/** The catalog entry of a metric; without limits it is not monitored. */
export interface MetricSpec {
  readonly displayName: string;
  readonly unit?: string;
  readonly category: string;
  readonly higherIsBetter: boolean;
  readonly limits?: Limits;
  /** The least and the largest possible value; absent if there is no limit. */
  readonly min?: number;
  readonly max?: number;
}
export interface Limits {
  readonly warning: number;
  readonly critical: number;
}

const higher = (
  category: string,
  displayName: string,
  warning: number,
  critical: number,
  unit?: string,
): MetricSpec => ({
  displayName,
  category,
  higherIsBetter: true,
  limits: { warning, critical },
  ...(unit ? { unit } : {}),
});
const lower = (
  category: string,
  displayName: string,
  warning: number,
  critical: number,
  unit?: string,
): MetricSpec => ({ ...higher(category, displayName, warning, critical, unit), higherIsBetter: false });

/** A metric that can have only values from `min` to `max`. */
const within = (min: number, max: number, spec: MetricSpec): MetricSpec => ({ ...spec, min, max });

const QUALITY = 'Model quality';
const BUSINESS = 'Business';
const DATA = 'Data';
const SERVICE = 'Service';

/** The company's catalog by metric name; a name with `*` is a pattern. */
export const METRICS = {
  auc_roc: within(0, 1, higher(QUALITY, 'ROC AUC', 0.88, 0.84)),
  recall: within(0, 1, higher(QUALITY, 'Recall', 0.84, 0.79)),
  precision: within(0, 1, higher(QUALITY, 'Precision', 0.85, 0.8)),
  f1_score: within(0, 1, higher(QUALITY, 'F1 score', 0.84, 0.79)),
  accuracy: within(0, 1, higher(QUALITY, 'Accuracy', 0.88, 0.84)),
  log_loss: lower(QUALITY, 'Log loss', 0.36, 0.45),
  expected_calibration_error: within(0, 1, lower(QUALITY, 'Calibration error', 0.04, 0.07)),
  brier_score: within(0, 1, lower(QUALITY, 'Brier score', 0.15, 0.19)),
  ks_statistic: within(0, 1, higher(QUALITY, 'KS statistic', 0.38, 0.32)),
  gini: higher(QUALITY, 'Gini coefficient', 0.54, 0.48),
  false_positive_rate: within(0, 100, lower(QUALITY, 'False positives', 3.5, 5, '%')),
  false_negative_rate: within(0, 100, lower(QUALITY, 'Missed items', 3.5, 5, '%')),
  ndcg_at_10: within(0, 1, higher(QUALITY, 'NDCG@10', 0.46, 0.42)),
  mrr: within(0, 1, higher(QUALITY, 'Mean reciprocal rank', 0.54, 0.48)),
  recall_at_20: within(0, 1, higher(QUALITY, 'Recall@20', 0.34, 0.3)),
  intra_list_diversity: within(0, 1, higher(QUALITY, 'Diversity of a list', 0.6, 0.52)),
  wape: lower(QUALITY, 'Weighted forecast error', 20, 26, '%'),
  forecast_bias: lower(QUALITY, 'Forecast bias, absolute', 5, 8, '%'),
  interval_coverage: within(0, 100, higher(QUALITY, 'Coverage of the 90 % band', 85, 80, '%')),
  mae_minutes: lower(QUALITY, 'Mean error of the arrival', 5, 7, 'min'),
  p90_error_minutes: lower(QUALITY, 'Error of the arrival, p90', 12, 16, 'min'),
  price_error: lower(QUALITY, 'Price error', 4.5, 6.5, '%'),
  answer_correctness: within(0, 100, higher(QUALITY, 'Correct answers', 80, 72, '%')),
  groundedness: within(0, 100, higher(QUALITY, 'Grounded answers', 87, 80, '%')),
  hallucination_rate: within(0, 100, lower(QUALITY, 'Hallucinations', 6, 9, '%')),
  toxicity_rate: within(0, 100, lower(QUALITY, 'Toxic answers', 0.4, 0.8, '%')),
  character_error_rate: lower(QUALITY, 'Wrong characters', 3, 4.5, '%'),
  word_error_rate: lower(QUALITY, 'Wrong words', 6, 9, '%'),
  field_accuracy: within(0, 100, higher(QUALITY, 'Fields read correctly', 92, 88, '%')),
  ltv_error: lower(QUALITY, '12-month value error', 24, 30, '%'),
  rank_correlation: higher(QUALITY, 'Rank correlation', 0.6, 0.5),
  top_decile_lift: higher(BUSINESS, 'Lift of the top decile', 2.6, 2.1, '×'),
  on_time_rate: within(0, 100, higher(BUSINESS, 'Deliveries on time', 88, 82, '%')),
  zero_result_rate: within(0, 100, lower(BUSINESS, 'Searches without a result', 6, 9, '%')),
  catalog_coverage: within(0, 100, higher(BUSINESS, 'Products ever shown', 50, 40, '%')),
  margin_uplift: higher(BUSINESS, 'Margin uplift', 1.5, 0.5, '%'),
  constraint_violations: lower(BUSINESS, 'Prices outside the rules', 12, 25),
  stockout_rate: within(0, 100, lower(BUSINESS, 'Products out of stock', 3.5, 5, '%')),
  overstock_days: lower(BUSINESS, 'Days of overstock', 9, 12, 'd'),
  fill_rate: within(0, 100, higher(BUSINESS, 'Orders filled', 95, 92, '%')),
  approval_rate_gap: lower(BUSINESS, 'Approval gap between groups', 4, 6, '%'),
  cost_per_1k_requests: lower(BUSINESS, 'Cost of 1,000 requests', 6, 8, 'USD'),
  psi: lower(DATA, 'Population stability index', 0.15, 0.25),
  missing_features: within(0, 100, lower(DATA, 'Missing features', 2, 4, '%')),
  'latency_*_ms': lower(SERVICE, 'Latency', 300, 450, 'ms'),
  answer_seconds: lower(SERVICE, 'Time to the answer, p95', 4, 6, 's'),
  images_per_second: higher(SERVICE, 'Images per second', 150, 110, '1/s'),
  pages_per_second: higher(SERVICE, 'Pages per second', 7, 5, '1/s'),
  click_through_rate: {
    displayName: 'Click-through rate',
    category: BUSINESS,
    higherIsBetter: true,
    unit: '%',
  },
  prompt_tokens: { displayName: 'Tokens of a prompt', category: SERVICE, higherIsBetter: false },
} as const satisfies Record<string, MetricSpec>;

const specs: ReadonlyMap<string, MetricSpec> = new Map(Object.entries(METRICS));

/** The catalog entry of a metric; `undefined` if there is none. */
export function specOf(metric: string): MetricSpec | undefined {
  return specs.get(metric) ?? (/^latency_.*_ms$/.test(metric) ? METRICS['latency_*_ms'] : undefined);
}
