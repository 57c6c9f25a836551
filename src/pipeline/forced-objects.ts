import { dayStart } from '../domain/time.js';
import { dayOfKey } from '../storage/keys.js';
import type { IsForced } from '../storage/publish.js';
import type { PipelineRun } from './pipeline-run.js';

/** The objects that a rebuild writes whatever inputs they name; `undefined` for any other pipeline run. */
export function forcedBy({ window }: Pick<PipelineRun, 'window'>): IsForced | undefined {
  if (!window?.datasets) return undefined;
  const datasets = new Set<string>(window.datasets);
  return (key) => {
    const day = dayOfKey(key);
    const time = day === undefined ? Number.NaN : dayStart(day);
    return datasets.has(key.split('/', 1)[0] ?? '') && time >= window.from && time < window.to;
  };
}
