import type { Light } from '../domain/model.js';

/** Injection token of `() => Promise<CurrentLights>`; provided in processes that compute the lights. */
export const LIGHTS = Symbol('LIGHTS');

/** Rates are percent; null if the denominator is 0. */
export interface CurrentLight {
  readonly light: Light;
  readonly pass_rate: number | null;
  readonly coverage: number | null;
}

/** A metric that is likely to cross a limit, and when the probability of this is 50 %. */
export interface ExpectedBreach {
  readonly application: string;
  readonly metric: { readonly name: string };
  readonly next: 'warning' | 'critical';
  /** ISO 8601 */
  readonly expected: string;
}

export interface CurrentLights {
  readonly platform: CurrentLight;
  readonly applications: readonly (CurrentLight & {
    readonly application: string;
    /** From its tags; null if it has none. */
    readonly owner: string | null;
    readonly needs_attention: boolean;
  })[];
  /** Soonest first. */
  readonly likely_soon: readonly ExpectedBreach[];
}
