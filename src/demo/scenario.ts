import { MS_PER_DAY, MS_PER_HOUR } from '../domain/time.js';
import { SeededRandom } from './seeded-random.js';

/** A time from `from` to before `to`, ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Incident extends Span {
  readonly application: string;
  /** The metric in which it shows. */
  readonly metric: string;
}

/** What happens in the company; `founded` is the moment, ms, to which all of it is set. */
export interface Scenario {
  readonly seed: number;
  readonly founded: number;
  /** The first instant of the company's history. */
  readonly begins: number;
  /** A model was deployed some hours before `founded`, and is bad. */
  readonly badDeploy: Incident;
  /** The training data of this one is old, and the world moves on. */
  readonly drift: Incident;
  /** A nightly job that has stopped. */
  readonly stopped: { readonly application: string; readonly from: number };
  /** A bad deploy that was rolled back long ago. */
  readonly rolledBack: Incident;
  /** A sweep of child trials. */
  readonly sweep: Span & { readonly application: string };
  /** Nothing ran anywhere: the cluster was moved. */
  readonly outage: Span;
  /** For some hours, days ago, the samples that it was evaluated on were empty: NaN. */
  readonly emptySamples: Incident;
}

export const HISTORY_DAYS = 30;

const CAN_DEPLOY = [
  ['search-ranking', 'ndcg_at_10'],
  ['delivery-eta', 'on_time_rate'],
  ['support-assistant', 'hallucination_rate'],
  ['image-moderation', 'false_negative_rate'],
  ['product-recommendations', 'recall_at_20'],
] as const;
const CAN_DRIFT = [
  ['demand-forecast', 'wape'],
  ['churn-model', 'expected_calibration_error'],
  ['credit-risk', 'psi'],
  ['dynamic-pricing', 'price_error'],
] as const;
const NIGHTLY = ['customer-lifetime-value', 'inventory-replenishment'] as const;

export function createScenario(seed: number, founded: number): Scenario {
  const chance = new SeededRandom(seed, 'story');
  const today = Math.floor(founded / MS_PER_DAY) * MS_PER_DAY;
  const deploy = chance.whole(0, CAN_DEPLOY.length - 1);
  const drift = chance.whole(0, CAN_DRIFT.length - 1);
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
  const rolledBack = before(chance.between(18, 24));
  const outage = today - chance.whole(10, 15) * MS_PER_DAY;
  const empty = before(chance.between(5, 8));
  const sweep = before(0, chance.between(10, 13));
  return {
    seed,
    founded,
    begins: today - HISTORY_DAYS * MS_PER_DAY,
    badDeploy: incident(CAN_DEPLOY[deploy] ?? CAN_DEPLOY[0], before(0, chance.between(15, 19)), Infinity),
    drift: incident(CAN_DRIFT[drift] ?? CAN_DRIFT[0], before(chance.between(13, 17)), founded),
    stopped: { application: chance.pick(NIGHTLY), from: today - MS_PER_DAY },
    rolledBack: incident(
      CAN_DEPLOY[(deploy + chance.whole(1, CAN_DEPLOY.length - 1)) % CAN_DEPLOY.length] ?? CAN_DEPLOY[0],
      rolledBack,
      rolledBack + chance.between(10, 16) * MS_PER_HOUR,
    ),
    sweep: {
      application: (CAN_DRIFT[(drift + 1) % CAN_DRIFT.length] ?? CAN_DRIFT[0])[0],
      from: Math.round(sweep),
      to: Math.round(sweep + chance.between(4, 6) * MS_PER_HOUR),
    },
    outage: { from: outage, to: outage + MS_PER_DAY },
    emptySamples: incident(['fraud-detection', 'psi'], empty, empty + 6 * MS_PER_HOUR),
  };
}

export const within = (time: number, { from, to }: Span): boolean => time >= from && time < to;

/**
 * How far an incident moves a metric at a time: 0 not at all, 1 from its good days to the warning limit.
 * @param critical where the critical limit lies on this scale
 */
export function shiftAt(
  story: Scenario,
  application: string,
  metric: string,
  time: number,
  critical: number,
): number {
  for (const deploy of [story.badDeploy, story.rolledBack]) {
    // The other metrics of a bad model suffer too, but stay within their limits.
    if (deploy.application === application && within(time, deploy))
      return deploy.metric === metric ? critical + 0.6 : 0.35;
  }
  const { drift } = story;
  if (drift.application === application && drift.metric === metric && time >= drift.from) {
    const worst = 1 + (critical - 1) / 2;
    return worst * Math.min(1, (time - drift.from) / (drift.to - drift.from));
  }
  return 0;
}

const RELEASE_DAYS = 7;
/** A bad release comes after days of one version, so that anybody sees what has changed. */
const QUIET_MS = 3 * MS_PER_DAY;
/** The data of a drifting model is old, since nobody released a new one. */
const IDLE_MS = 5 * MS_PER_DAY;

/** The number of the model that an application runs at a time: a release a week, and those of the story. */
export function modelVersionAt(story: Scenario, application: string, time: number): number {
  const { badDeploy, drift, rolledBack, begins, seed } = story;
  const [age, phase] = SeededRandom.pair(seed, 'releases', application);
  const first = 12 + Math.floor(50 * age);
  let until = time;
  if (badDeploy.application === application) until = Math.min(time, badDeploy.from - QUIET_MS);
  if (drift.application === application) until = Math.min(time, drift.from - IDLE_MS);
  const weeks = Math.floor((until - begins) / (RELEASE_DAYS * MS_PER_DAY) + phase);
  const extra = [badDeploy, rolledBack].filter(
    (deploy) => deploy.application === application && within(time, deploy),
  );
  return first + weeks + extra.length;
}
