/** Number of rounds: the documented number with `npm run test:long`, fewer otherwise. */
export const rounds = (usual: number, long: number): number => (process.env.LONG === '1' ? long : usual);
