/**
 * @typedef {{ path: string, before: unknown, after: unknown, sentence: boolean }} Found
 * @typedef {(key: string, parent: Record<string, unknown>) => boolean} IsSentence whether a text may differ on purpose
 */

/** Keys of REST responses whose texts are for people. A `reason` beside a `light` is `light_reason` of a published object. */
const SENTENCES = new Set([
  'detail',
  'message',
  'help',
  'description',
  'summary',
  'problems',
  'why',
  'error',
]);
/** @type {IsSentence} */
export const inAnswers = (key, parent) =>
  SENTENCES.has(key) || (key === 'reason' && !Object.hasOwn(parent, 'light'));
/** Stored documents contain error messages. @type {IsSentence} */
export const inState = (key) => key === 'message';
/** @type {IsSentence} */
export const nowhere = () => false;

const isObject = (value) => value !== null && typeof value === 'object';

/** @returns {Found[]} what differs, field for field */
export function compareJson(before, after, isSentence = nowhere, path = '$', sentence = false) {
  if (Object.is(before, after)) return [];
  const bothObjects = isObject(before) && isObject(after) && Array.isArray(before) === Array.isArray(after);
  if (!bothObjects) {
    const texts = typeof before === 'string' && typeof after === 'string';
    return [{ path, before, after, sentence: sentence && texts }];
  }
  if (Array.isArray(before)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, i) => i).flatMap((i) =>
      compareJson(before[i], after[i], isSentence, `${path}[${i}]`, sentence),
    );
  }
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) => {
    // Only texts count: in a schema, `description` can also be the name of a property.
    const isText = isSentence(key, before);
    return compareJson(before[key], after[key], isSentence, `${path}.${key}`, isText);
  });
}
