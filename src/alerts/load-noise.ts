import { z } from 'zod';
import { ALERT_RULES } from '../domain/alerts/incident.js';
import { NOISE_DAYS, noiseJson, noiseOf, noisiest } from '../domain/alerts/noise.js';
import type { AlertChain } from '../state/alerts/evaluations.js';

const count = z.int().min(0);

export const noiseSchema = z.object({
  days: z.int(),
  /** All rules, those that fired most first. */
  rules: z
    .array(
      z.object({
        rule: z.enum(ALERT_RULES),
        fired: count,
        acknowledged: count,
        muted: count,
        corrected: count,
        /** From firing to the message of the recovery. */
        median_recovery_seconds: count.nullable(),
        /** Of the three rules that fired most: the smallest change of a setting with which at most half would have fired. */
        halving: z
          .object({ setting: z.enum(['limit', 'for_minutes']), value: z.number(), fired: count })
          .nullable(),
      }),
    )
    .readonly(),
});
export type Noise = z.infer<typeof noiseSchema>;

/** How noisy each rule was in the last 30 days. @param now ms */
export async function loadNoise(chain: AlertChain, now: number): Promise<Noise> {
  const [newest, history] = await Promise.all([chain.newest(), chain.history()]);
  const noisy = noisiest(history, newest?.incidents ?? [], now);
  const others = noiseOf(history, now).filter(({ rule }) => !noisy.some((each) => each.rule === rule));
  const rules = [...noisy, ...others.map((each) => ({ ...each, halving: null }))];
  return { days: NOISE_DAYS, rules: rules.map(noiseJson) };
}
