const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** A raw page is named by the execution of its slice, an entry of the audit by a random number. */
const RAW_PAGE = /(_raw\/[^/"]+\/[^/"]+\/)[0-9a-f]{8}(-\d+\.json)/g;
const AUDIT = /(_audit\/[^"]*-)[0-9a-f]{8}(\.json)/g;

/** Replaces what is random in every execution. */
export const withoutRandom = (text) =>
  text.replace(UUID, '<uuid>').replace(RAW_PAGE, '$1<execution>$2').replace(AUDIT, '$1<random>$2');

/** Replaces what depends on where a build runs: its folders and its port. */
export function withoutPlace(text, { folder, dist, port }) {
  const placed = text.replaceAll(folder, '<folder>').replaceAll(dist, '<dist>');
  return port === undefined ? placed : placed.replaceAll(`:${port}`, ':<port>');
}

/** Replaces numbers, of lines that depend on how fast things went. */
export const withoutNumbers = (text) => text.replace(/\d+(\.\d+)?/g, '<n>');

/** Durations in real time. */
export const withoutDurations = (text) => text.replace(/\b\d+(\.\d+)? (s|ms|seconds)\b/g, '<n> $2');
