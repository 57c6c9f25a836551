import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { SeededRandom } from './seeded-random.js';

/** A time span `[from, to)`, ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

interface Incident extends Span {
  readonly application: string;
  /** The metric that shows the incident. */
  readonly metric: string;
}

/** The events in a company. All times are relative to `founded`, ms. */
export interface Scenario {
  readonly seed: number;
  readonly founded: number;
  /** Start of the company's history, ms. */
  readonly begins: number;
  /** A bad model version, deployed some hours before `founded` and still in use. */
  readonly badDeploy: Incident;
  /** A model with outdated training data, whose metric drifts past its warning limit. */
  readonly drift: Incident;
  /** A metric that slowly approaches its warning limit, and will cross it some days after `founded`. */
  readonly approaching: Incident;
  /** A nightly job that has stopped running. */
  readonly stopped: { readonly application: string; readonly from: number };
  /** A bad model version that was rolled back weeks ago. */
  readonly rolledBack: Incident;
  /** A hyperparameter sweep with child runs. */
  readonly sweep: Span & { readonly application: string };
  /** A day without runs in any application, as if the cluster had been moved. */
  readonly outage: Span;
  /** Some hours, days ago, in which a metric was NaN because its evaluation samples were empty. */
  readonly emptySamples: Incident;
}

const HISTORY_DAYS = 30;

const DEPLOY_CANDIDATES = [
  ['search-ranking', 'ndcg_at_10'],
  ['delivery-eta', 'on_time_rate'],
  ['support-assistant', 'hallucination_rate'],
  ['image-moderation', 'false_negative_rate'],
  ['product-recommendations', 'recall_at_20'],
] as const;
const DRIFT_CANDIDATES = [
  ['demand-forecast', 'wape'],
  ['churn-model', 'expected_calibration_error'],
  ['credit-risk', 'psi'],
  ['dynamic-pricing', 'price_error'],
] as const;
const NIGHTLY = ['customer-lifetime-value', 'inventory-replenishment'] as const;

/** The order in which it draws random numbers is part of the data: another order changes every value. */
export function createScenario(seed: number, founded: number): Scenario {
  const random = new SeededRandom(seed, 'story');
  const today = Math.floor(founded / MS_PER_DAY) * MS_PER_DAY;
  const deploy = random.integer(0, DEPLOY_CANDIDATES.length - 1);
  const drift = random.integer(0, DRIFT_CANDIDATES.length - 1);
  const incident = (
    [application, metric]: readonly [string, string],
    from: number,
    to: number,
  ): Incident => ({
    application,
    metric,
    from: Math.round(from),
    to: Math.round(to),
  });
  const before = (days: number, hours = 0) => founded - days * MS_PER_DAY - hours * MS_PER_HOUR;
  const rolledBack = before(random.between(18, 24));
  const outage = today - random.integer(10, 15) * MS_PER_DAY;
  const empty = before(random.between(5, 8));
  const sweep = before(0, random.between(10, 13));
  return {
    seed,
    founded,
    begins: today - HISTORY_DAYS * MS_PER_DAY,
    badDeploy: incident(
      DEPLOY_CANDIDATES[deploy] ?? DEPLOY_CANDIDATES[0],
      before(0, random.between(15, 19)),
      Infinity,
    ),
    drift: incident(DRIFT_CANDIDATES[drift] ?? DRIFT_CANDIDATES[0], before(random.between(13, 17)), founded),
    // Not the application with the bad model, whose other metrics change as well.
    approaching: incident(
      DEPLOY_CANDIDATES[deploy]?.[0] === 'search-ranking'
        ? ['fraud-detection', 'psi']
        : ['search-ranking', 'psi'],
      before(12),
      founded,
    ),
    stopped: { application: random.pick(NIGHTLY), from: today - MS_PER_DAY },
    rolledBack: incident(
      DEPLOY_CANDIDATES[
        (deploy + random.integer(1, DEPLOY_CANDIDATES.length - 1)) % DEPLOY_CANDIDATES.length
      ] ?? DEPLOY_CANDIDATES[0],
      rolledBack,
      rolledBack + random.between(10, 16) * MS_PER_HOUR,
    ),
    sweep: {
      application: (DRIFT_CANDIDATES[(drift + 1) % DRIFT_CANDIDATES.length] ?? DRIFT_CANDIDATES[0])[0],
      from: Math.round(sweep),
      to: Math.round(sweep + random.between(4, 6) * MS_PER_HOUR),
    },
    outage: { from: outage, to: outage + MS_PER_DAY },
    emptySamples: incident(['fraud-detection', 'psi'], empty, empty + 6 * MS_PER_HOUR),
  };
}

export const within = (time: number, { from, to }: Span): boolean => time >= from && time < to;

const isApproaching = ({ approaching }: Scenario, application: string, metric: string): boolean =>
  approaching.application === application && approaching.metric === metric;

/** By what factor the values of a metric vary less than usual. */
export const calmnessOf = (scenario: Scenario, application: string, metric: string): number =>
  isApproaching(scenario, application, metric) ? CALMNESS : 1;

/** How far the approaching metric is when the company is founded, on the scale of `shiftAt`. */
const APPROACHED = 0.9;
/** Its values vary less than those of other metrics by this factor, so that its trend is visible early. */
const CALMNESS = 0.1;

/**
 * How far incidents move a metric at a time (ms), on the scale of `valueAt`: 0 not at all, 1 from its base value to its
 * warning limit.
 * @param criticalPosition the position of the critical limit on this scale
 */
export function shiftAt(
  scenario: Scenario,
  application: string,
  metric: string,
  time: number,
  criticalPosition: number,
): number {
  for (const deploy of [scenario.badDeploy, scenario.rolledBack]) {
    // The other metrics of a bad model get worse, too, but stay within their limits.
    if (deploy.application === application && within(time, deploy))
      return deploy.metric === metric ? criticalPosition + 0.6 : 0.35;
  }
  const { approaching, drift } = scenario;
  if (isApproaching(scenario, application, metric) && time >= approaching.from) {
    const share = (time - approaching.from) / (approaching.to - approaching.from);
    return Math.min(APPROACHED * share, 1.2);
  }
  if (drift.application === application && drift.metric === metric && time >= drift.from) {
    const finalShift = 1 + (criticalPosition - 1) / 2;
    return finalShift * Math.min(1, (time - drift.from) / (drift.to - drift.from));
  }
  return 0;
}

const RELEASE_INTERVAL_MS = 7 * MS_PER_DAY;
/** No release for this long before a bad one, so that the version change clearly coincides with it. */
const NO_RELEASE_BEFORE_BAD_MS = 3 * MS_PER_DAY;
/** A drifting model has had no release since this long before the drift. */
const NO_RELEASE_BEFORE_DRIFT_MS = 5 * MS_PER_DAY;

/** The model version of an application at a time (ms): one release per week, plus the bad ones of the scenario. */
export function modelVersionAt(scenario: Scenario, application: string, time: number): number {
  const { badDeploy, drift, rolledBack, begins, seed } = scenario;
  const [age, phase] = SeededRandom.pair(seed, 'releases', application);
  const first = 12 + Math.floor(50 * age);
  let until = time;
  if (badDeploy.application === application)
    until = Math.min(time, badDeploy.from - NO_RELEASE_BEFORE_BAD_MS);
  if (drift.application === application) until = Math.min(time, drift.from - NO_RELEASE_BEFORE_DRIFT_MS);
  const weeks = Math.floor((until - begins) / RELEASE_INTERVAL_MS + phase);
  const badReleases = [badDeploy, rolledBack].filter(
    (deploy) => deploy.application === application && within(time, deploy),
  );
  return first + weeks + badReleases.length;
}
