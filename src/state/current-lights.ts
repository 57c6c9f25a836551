import type { Light } from '../domain/model.js';

/** Injection token of `() => Promise<CurrentLights>`; provided in processes that compute the lights. */
export const LIGHTS = Symbol('LIGHTS');

/** Rates are percent; null if the denominator is 0. */
export interface CurrentLight {
  readonly light: Light;
  readonly pass_rate: number | null;
  readonly coverage: number | null;
}

export interface CurrentLights {
  readonly platform: CurrentLight;
  readonly applications: readonly (CurrentLight & { readonly application: string })[];
}
