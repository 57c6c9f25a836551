import { join } from 'node:path';
import { DIST } from '../lib/processes.mjs';

/** The functions of src/domain/forecast that are measured, of the build. */
const modules = ['fit', 'forecast-ahead', 'points', 'breach', 'nelder-mead', 'elementary', 'tail'];
export const domain = Object.assign(
  {},
  ...(await Promise.all(modules.map((name) => import(join(DIST, `domain/forecast/${name}.js`))))),
);
