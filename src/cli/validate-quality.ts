import { loadLimits } from '../quality/limits-file.js';
import { type Finding, messageOf } from './findings.js';

/** @returns nothing without a file */
export async function checkLimits(file: string | undefined): Promise<Finding[]> {
  if (file === undefined) return [];
  const what = 'Data quality';
  try {
    const limits = Object.values(await loadLimits(file));
    const enabled = limits.filter((each) => each.enabled).length;
    return [{ state: 'ok', what, found: `${enabled} of ${limits.length} checks are enabled` }];
  } catch (error) {
    return [{ state: 'change', what, found: messageOf(error), todo: 'Correct the file, or QUALITY_FILE.' }];
  }
}
