import { createHash } from 'node:crypto';
import { inSlices } from '../config/event-loop.js';
import { fitForecast } from '../domain/forecast/fit.js';
import type { ForecastParameters } from '../domain/forecast/parameters.js';
import type { Points } from '../domain/forecast/points.js';
import type { Steps } from '../domain/steps.js';

/** Chooses the parameters of many forecasts: as JSON, in the order of the points; null where there is no forecast. */
export type FitAll = (points: readonly Points[]) => Promise<(string | null)[]>;

/** What a fit gives, as it is stored. */
export function fitAsJson(points: Points): string | null {
  const parameters = fitForecast(points);
  return parameters ? JSON.stringify(parameters) : null;
}

/** In the main thread. */
export const fitHere: FitAll = (all) => inSlices(fitSteps(all));

function* fitSteps(all: readonly Points[]): Steps<(string | null)[]> {
  const found: (string | null)[] = [];
  for (const points of all) {
    found.push(fitAsJson(points));
    yield;
  }
  return found;
}

/** The parameters that a series was forecast with, and the digest of the points from which they were chosen. */
export interface StoredFit {
  readonly parameters: string | null;
  readonly digest: string;
}

/** Fits, unless it is known what the same points have given. */
export class KnownFits {
  private readonly parameters = new Map<string, string | null>();
  private readonly digests = new WeakMap<Points, string>();

  /** @param rules version: another one may choose other parameters from the same points */
  constructor(private readonly rules: number) {}

  add({ digest, parameters }: StoredFit): void {
    this.parameters.set(digest, parameters);
  }

  /** Fits all points of which the parameters are not known. */
  async learn(all: readonly Points[], fitAll: FitAll): Promise<void> {
    const unknown = new Map<string, Points>();
    for (const points of all) {
      const digest = this.digestOf(points);
      if (!this.parameters.has(digest)) unknown.set(digest, points);
    }
    const found = await fitAll([...unknown.values()]);
    for (const [i, digest] of [...unknown.keys()].entries()) this.parameters.set(digest, found[i] ?? null);
  }

  /** @param points that were learned */
  storedOf(points: Points): StoredFit {
    const digest = this.digestOf(points);
    return { digest, parameters: this.parameters.get(digest) ?? null };
  }

  private digestOf(points: Points): string {
    let digest = this.digests.get(points);
    if (digest === undefined) {
      const hash = createHash('sha256').update(`${this.rules} `).update(points.times).update(points.values);
      digest = hash.digest('hex').slice(0, DIGEST_DIGITS);
      this.digests.set(points, digest);
    }
    return digest;
  }
}

/** 128 bits: two sets of points never have the same digest. */
const DIGEST_DIGITS = 32;

/** Also after a fit: what is written is what is used. */
export const parametersOf = ({ parameters }: StoredFit): ForecastParameters | undefined =>
  parameters === null ? undefined : (JSON.parse(parameters) as ForecastParameters);
