import { guessDirection } from './guess-direction.js';
import {
  type Limits,
  type MetricHistory,
  MIN_VALUES,
  type SuggestionMethod,
  suggestLimits,
} from './suggest-limits.js';

/** Limits for one direction, and how many stored runs they mark. */
export interface Option {
  readonly higher_is_better: boolean;
  readonly limits: Limits;
  readonly critical: number;
  readonly warning: number;
}

export interface Suggestion {
  readonly history: MetricHistory;
  /** Where the direction comes from; `null` if it is unknown. */
  readonly direction: 'catalog' | 'name' | null;
  /** If the direction is unknown, one option for each; the order of the limits then defines it. Empty without a suggestion. */
  readonly options: readonly Option[];
}

/**
 * Chooses direction and limits. The runs they mark are counted later.
 * @param known the direction of the catalog; null if it has none
 */
export function chooseThresholds(
  history: MetricHistory,
  known: boolean | null,
  method?: SuggestionMethod,
): Suggestion {
  const guessed = known ?? guessDirection(history.metric_name);
  const directions = guessed === null ? [true, false] : [guessed];
  const options = directions.map((higher_is_better) => ({
    higher_is_better,
    limits: suggestLimits(history, higher_is_better, method),
    critical: 0,
    warning: 0,
  }));
  return {
    history,
    direction: known !== null ? 'catalog' : guessed !== null ? 'name' : null,
    options: options.filter(
      ({ limits }) => history.values >= MIN_VALUES && (guessed !== null || limits.critical !== null),
    ),
  };
}
