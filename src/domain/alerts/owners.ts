import { matches } from '../pattern.js';
import type { Ownership } from './measurements.js';

/** One entry of `owners.yaml`. */
export interface OwnerRule extends Ownership {
  /** A pattern, see `matches`. */
  readonly application: string;
}

/**
 * Who owns an application: the first rule that matches, whose gaps the tags fill.
 * @param tagged the owner in the tags of its run or experiment
 */
export function ownershipOf(
  application: string,
  tagged: string | null,
  rules: readonly OwnerRule[],
): Ownership {
  const rule = rules.find((each) => matches(each.application, application));
  return { owner: rule?.owner ?? tagged, contact: rule?.contact ?? null, runbook: rule?.runbook ?? null };
}
