import type { ApplicationNow, Attention } from '../../../src/dashboard/contract.js';
import { LIGHTS, type Light } from '../../../src/domain/model.js';
import { LIGHT_ORDER } from '../words/words.js';

/** Which applications are shown. */
export interface Filter {
  /** Empty: all. */
  readonly lights: readonly Light[];
  readonly owner: string | null;
  /** Words that the name, the owner or the metric must contain, in any case; '' for all. */
  readonly text: string;
}

/** The filter of an address. What is not a light is ignored. */
export function filterOf(query: (name: string) => string | null): Filter {
  const named = (query('status') ?? '').split(',');
  return {
    lights: LIGHTS.filter((light) => named.includes(light)),
    owner: query('owner'),
    text: query('q') ?? '',
  };
}

export const isFiltering = ({ lights, owner, text }: Filter): boolean =>
  lights.length > 0 || owner !== null || text.trim() !== '';

/** The value of `status` in the address after a light was switched; null: all. */
export function toggled(lights: readonly Light[], light: Light): string | null {
  const next = lights.includes(light) ? lights.filter((each) => each !== light) : [...lights, light];
  return next.length === 0 ? null : LIGHT_ORDER.filter((each) => next.includes(each)).join(',');
}

/** An application as the lists of the page show it. */
export interface Listed {
  readonly now: ApplicationNow;
  readonly attention: Attention | undefined;
}

/** All applications, the worst first, and of one light those that need attention first. */
export function listed(applications: readonly ApplicationNow[], attention: readonly Attention[]): Listed[] {
  const incidents = new Map(attention.map((each) => [each.application, each]));
  return applications
    .map((now) => ({ now, attention: incidents.get(now.application) }))
    .sort(
      (a, b) =>
        LIGHT_ORDER.indexOf(a.now.light) - LIGHT_ORDER.indexOf(b.now.light) ||
        Number(b.now.needs_attention) - Number(a.now.needs_attention),
    );
}

export function passes({ now, attention }: Listed, { lights, owner, text }: Filter): boolean {
  if (lights.length > 0 && !lights.includes(now.light)) return false;
  if (owner !== null && now.owner !== owner) return false;
  const metric = attention?.metric;
  const searched = [now.application, now.owner, metric?.name, metric?.display_name].join('\n').toLowerCase();
  return text
    .toLowerCase()
    .split(/\s+/)
    .every((word) => searched.includes(word));
}
