import { domain } from './domain.mjs';
import { simulate } from './families.mjs';

const POINTS = 200;

/** CPU time of fits of 200 points on one core. @returns ms of the mean fit, ms of the slowest of all */
export function measureFits(families, seconds) {
  const all = families.map((family, number) => {
    const { times, values } = simulate(family, number, POINTS);
    return domain.lastPoints(times, values, {
      end: POINTS,
      after: times[0] - 1,
      before: times[POINTS - 1] + 1,
    });
  });
  for (let i = 0; i < 20; i++) for (const points of all) domain.fitForecast(points);
  const begin = performance.now();
  const used = process.cpuUsage();
  let fits = 0;
  let slowest = 0;
  while (performance.now() - begin < 1000 * seconds) {
    for (const points of all) {
      const before = process.cpuUsage();
      domain.fitForecast(points);
      const { user, system } = process.cpuUsage(before);
      slowest = Math.max(slowest, (user + system) / 1000);
      fits++;
    }
  }
  const { user, system } = process.cpuUsage(used);
  return { mean: (user + system) / 1000 / fits, slowest, fits };
}
