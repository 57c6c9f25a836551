const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** Keys of raw pages contain a random id of the execution, keys of audit entries a random suffix. */
const RAW_PAGE = /(_raw\/[^/"]+\/[^/"]+\/)[0-9a-f]{8}(-\d+\.json)/g;
const AUDIT = /(_audit\/[^"]*-)[0-9a-f]{8}(\.json)/g;

/** Replaces tokens and random parts of keys. */
export const withoutRandom = (text) =>
  text.replace(UUID, '<uuid>').replace(RAW_PAGE, '$1<execution>$2').replace(AUDIT, '$1<random>$2');

/** Replaces the folders and the port of a build. */
export function withoutPlace(text, { folder, dist, port }) {
  const placed = text.replaceAll(folder, '<folder>').replaceAll(dist, '<dist>');
  return port === undefined ? placed : placed.replaceAll(`:${port}`, ':<port>');
}

/** Replaces all numbers. */
export const withoutNumbers = (text) => text.replace(/\d+(\.\d+)?/g, '<n>');

/** Replaces durations, which are measured in real time. */
export const withoutDurations = (text) => text.replace(/\b\d+(\.\d+)? (s|ms|seconds)\b/g, '<n> $2');
