import { passes } from '../domain/pattern.js';
import { EMPTY_QUERY } from '../state/rulebook.js';
import type { GateSource, Listing } from './load-run.js';

/** The experiments whose runs the service judges, and the tag that names an application, by the newest settings. */
export async function experimentsInScope(
  { rulebook }: GateSource,
  { experiments }: Listing,
): Promise<{ readonly ids: readonly string[]; readonly tag: string }> {
  const settings = (await rulebook.rulebookFor(() => EMPTY_QUERY)).settings.at(-1)?.settings;
  if (!settings) throw new RangeError('The rulebook contains no settings');
  const { application_tag, experiment_include, experiment_exclude } = settings;
  const ids = Object.entries(experiments)
    .filter(
      ([, { lifecycle_stage, name }]) =>
        lifecycle_stage === 'active' && passes(name, experiment_include, experiment_exclude),
    )
    .map(([id]) => id);
  return { ids, tag: application_tag };
}

/** Ids in one search: keeps requests far below the limits of servers. */
const IDS_PER_SEARCH = 50;

export function chunksOf(ids: readonly string[]): string[][] {
  const chunks: string[][] = [];
  for (let at = 0; at < ids.length; at += IDS_PER_SEARCH) chunks.push(ids.slice(at, at + IDS_PER_SEARCH));
  return chunks;
}
