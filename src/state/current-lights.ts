import type { Light } from '../domain/model.js';

/** Injection token of `() => Promise<CurrentLights>`, in processes that compute them. */
export const LIGHTS = Symbol('LIGHTS');

/** A light and what stands beside it. Rates are percent, null over nothing. */
export interface CurrentLight {
  readonly light: Light;
  readonly pass_rate: number | null;
  readonly coverage: number | null;
}

/** How the platform and its applications stand now. */
export interface CurrentLights {
  readonly platform: CurrentLight;
  readonly applications: readonly (CurrentLight & { readonly application: string })[];
}
