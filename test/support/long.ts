/** A count of rounds: `npm run test:long` plays as many as the promise names, other runs fewer. */
export const rounds = (usual: number, long: number): number => (process.env.LONG === '1' ? long : usual);
