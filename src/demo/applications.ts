/** An application of the company: its owner, how often it runs, and its usual metric values. */
export interface ApplicationSpec {
  readonly name: string;
  readonly owner: string;
  /** The users who log its runs. */
  readonly people: readonly [string, ...string[]];
  /** Runs per day, spread over the day; `nightly`: one run per market every night. */
  readonly schedule: number | 'nightly';
  /** Shortest and longest duration of a run, minutes. */
  readonly minutes: readonly [number, number];
  /** The value of each metric on a normal day. */
  readonly metrics: Readonly<Record<string, number>>;
}

export const MARKETS = ['de', 'fr', 'nl', 'pl', 'es'] as const;

/** The fourteen models of a grocery delivery company. */
export const APPLICATIONS: readonly ApplicationSpec[] = [
  {
    name: 'fraud-detection',
    owner: 'Payments ML',
    people: ['amara.okafor', 'jonas.weber', 'ines.duarte'],
    schedule: 36,
    minutes: [1, 4],
    metrics: {
      auc_roc: 0.952,
      recall: 0.925,
      precision: 0.91,
      false_positive_rate: 2.1,
      psi: 0.06,
      latency_p95_ms: 48,
    },
  },
  {
    name: 'search-ranking',
    owner: 'Discovery',
    people: ['mei.lin', 'tomasz.nowak'],
    schedule: 24,
    minutes: [3, 12],
    metrics: {
      ndcg_at_10: 0.524,
      mrr: 0.612,
      zero_result_rate: 3.1,
      click_through_rate: 31.5,
      latency_p95_ms: 142,
      psi: 0.07,
    },
  },
  {
    name: 'product-recommendations',
    owner: 'Discovery',
    people: ['mei.lin', 'sofia.rossi', 'pavel.horak'],
    schedule: 24,
    minutes: [4, 15],
    metrics: {
      recall_at_20: 0.412,
      ndcg_at_10: 0.545,
      intra_list_diversity: 0.71,
      catalog_coverage: 63,
      latency_p95_ms: 118,
    },
  },
  {
    name: 'delivery-eta',
    owner: 'Logistics',
    people: ['lars.nilsen', 'fatima.haddad'],
    schedule: 24,
    minutes: [2, 8],
    metrics: {
      on_time_rate: 93.4,
      p90_error_minutes: 8.3,
      mae_minutes: 3.4,
      missing_features: 0.7,
      latency_p95_ms: 36,
      latency_p99_ms: 88,
    },
  },
  {
    name: 'demand-forecast',
    owner: 'Supply',
    people: ['elena.petrova', 'david.cohen'],
    schedule: 24,
    minutes: [6, 22],
    metrics: {
      wape: 14.2,
      forecast_bias: 2.2,
      interval_coverage: 90.5,
      stockout_rate: 1.9,
      missing_features: 0.6,
    },
  },
  {
    name: 'support-assistant',
    owner: 'Customer Care',
    people: ['ana.lopez', 'kofi.mensah'],
    schedule: 24,
    minutes: [5, 18],
    metrics: {
      hallucination_rate: 3.1,
      answer_correctness: 88.5,
      groundedness: 94,
      toxicity_rate: 0.12,
      answer_seconds: 2.4,
      cost_per_1k_requests: 4.2,
      prompt_tokens: 2150,
    },
  },
  {
    name: 'image-moderation',
    owner: 'Trust & Safety',
    people: ['yuki.tanaka', 'omar.said'],
    schedule: 24,
    minutes: [2, 9],
    metrics: {
      false_negative_rate: 1.9,
      precision: 0.932,
      recall: 0.921,
      f1_score: 0.926,
      images_per_second: 212,
    },
  },
  {
    name: 'dynamic-pricing',
    owner: 'Pricing',
    people: ['claire.martin', 'ravi.iyer'],
    schedule: 16,
    minutes: [3, 10],
    metrics: {
      price_error: 2.4,
      margin_uplift: 3.1,
      constraint_violations: 3.5,
      psi: 0.08,
      missing_features: 0.5,
    },
  },
  {
    name: 'churn-model',
    owner: 'Growth',
    people: ['grace.kim', 'bjorn.berg'],
    schedule: 12,
    minutes: [4, 14],
    metrics: {
      expected_calibration_error: 0.016,
      accuracy: 0.935,
      auc_roc: 0.931,
      f1_score: 0.902,
      log_loss: 0.27,
      psi: 0.06,
    },
  },
  {
    name: 'credit-risk',
    owner: 'Payments ML',
    people: ['jonas.weber', 'nadia.benali'],
    schedule: 12,
    minutes: [5, 20],
    metrics: {
      psi: 0.06,
      auc_roc: 0.927,
      gini: 0.632,
      ks_statistic: 0.468,
      brier_score: 0.108,
      approval_rate_gap: 2.1,
    },
  },
  {
    name: 'document-ocr',
    owner: 'Back Office',
    people: ['hanna.vogel', 'luis.ortega'],
    schedule: 12,
    minutes: [3, 9],
    metrics: {
      character_error_rate: 1.6,
      word_error_rate: 3.4,
      field_accuracy: 96.2,
      pages_per_second: 9.6,
      latency_p95_ms: 176,
    },
  },
  {
    name: 'voice-ordering',
    owner: 'Labs',
    people: ['noor.jansen'],
    schedule: 8,
    minutes: [4, 12],
    // A pilot without limits in the catalog.
    metrics: {
      intent_accuracy: 0.874,
      slot_f1: 0.841,
      speech_error_rate: 9.8,
      wake_word_false_alarms: 1.4,
      turn_seconds: 1.9,
    },
  },
  {
    name: 'customer-lifetime-value',
    owner: 'Growth',
    people: ['bjorn.berg'],
    schedule: 'nightly',
    minutes: [12, 35],
    metrics: {
      ltv_error: 17.2,
      rank_correlation: 0.712,
      top_decile_lift: 3.4,
      psi: 0.07,
      missing_features: 0.8,
    },
  },
  {
    name: 'inventory-replenishment',
    owner: 'Supply',
    people: ['david.cohen'],
    schedule: 'nightly',
    minutes: [10, 30],
    metrics: { stockout_rate: 1.8, overstock_days: 6.4, fill_rate: 97.4, wape: 15.1, missing_features: 0.6 },
  },
];

/** A regulated experiment of fraud-detection with stricter limits. */
export const STRICT_EXPERIMENT = 'fraud-detection-eu';
export const STRICT_LIMITS = {
  recall: { warning: 0.88, critical: 0.84 },
  false_positive_rate: { warning: 3, critical: 4 },
} as const;
