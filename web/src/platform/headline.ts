import type { ApplicationNow, Attention, PlatformCurrent } from '../../../src/dashboard/contract.js';
import type { Light } from '../../../src/domain/model.js';
import { applicationsText, LIGHT_ORDER, plural } from '../words/words.js';

/** The light beside the headline is the worst that the headline is about: the two never contradict each other. */
export interface Headline {
  readonly light: Light;
  readonly text: string;
}

type State = Pick<PlatformCurrent, 'all_unmonitored'> & {
  readonly platform: Pick<PlatformCurrent['platform'], 'light'>;
  readonly applications: readonly Pick<ApplicationNow, 'light'>[];
  readonly needs_attention: readonly Pick<Attention, 'light'>[];
};

/** The summary of the platform in one sentence. */
export function headline({ applications, needs_attention, all_unmonitored, platform }: State): Headline {
  const total = applications.length;
  if (needs_attention.length > 0) return attentionHeadline(needs_attention, total);
  const { light } = platform;
  if (all_unmonitored) {
    return {
      light,
      text: total === 1 ? 'The application has no thresholds' : 'No application has thresholds',
    };
  }
  if (applications.every((each) => each.light === 'no_data')) {
    return { light, text: 'No application has run recently' };
  }
  return { light, text: 'No application needs attention' };
}

/** What `1 of 3 applications` is or has, and what several are or have. */
const VERBS: Partial<Record<Light, readonly [one: string, many: string]>> = {
  critical: ['is critical', 'are critical'],
  warning: ['has a warning', 'have warnings'],
  no_data: ['has stopped running', 'have stopped running'],
};

function attentionHeadline(listed: State['needs_attention'], total: number): Headline {
  const [worst = 'no_data'] = LIGHT_ORDER.filter((light) => listed.some((each) => each.light === light));
  const count = listed.filter(({ light }) => light === worst).length;
  const more = listed.length - count;
  const [one, many] = VERBS[worst] ?? ['needs attention', 'need attention'];
  const rest = more === 0 ? '' : `, ${more} more ${more === 1 ? 'needs' : 'need'} a look`;
  return { light: worst, text: `${count} of ${applicationsText(total)} ${count === 1 ? one : many}${rest}` };
}

/** How many applications are not judged, as a sentence; '' if all are. */
export function unjudgedText({ applications, all_unmonitored }: State): string {
  const count = applications.filter(({ light }) => light === 'unmonitored').length;
  if (count === 0 || all_unmonitored) return '';
  return `${plural(count, 'application has', 'applications have')} no thresholds, so nothing is known about ${count === 1 ? 'it' : 'them'}.`;
}
