import { matches } from './pattern.js';
import type { Steps } from './steps.js';

/** Finds the patterns that may match a name without trying each of them. */
export interface PatternIndex {
  readonly patterns: readonly string[];
  /** The places in `patterns`, ascending, of a few patterns that may match; every other pattern does not match. */
  candidates(name: string): readonly number[];
}

/** Lengths of the pieces of text by which patterns without a usable beginning or end are found. */
const PIECE_LENGTHS = [16, 8, 4, 2, 1];

type Place = 'start' | 'end' | 'inside';
/** A text that every name that matches a pattern contains, and where. */
interface Key {
  readonly place: Place;
  readonly text: string;
}

/**
 * Each pattern is filed under one text that a matching name must contain: the one that the fewest patterns share. Texts are
 * compared as UTF-16 units: characters that match have the same units.
 */
export function* indexPatterns(patterns: readonly string[]): Steps<PatternIndex> {
  const keysOf: (readonly Key[])[] = [];
  const uses = { start: new Map<string, number>(), end: new Map(), inside: new Map() } as Record<
    Place,
    Map<string, number>
  >;
  for (const pattern of patterns) {
    yield;
    const keys = keysIn(pattern);
    keysOf.push(keys);
    for (const { place, text } of keys) uses[place].set(text, (uses[place].get(text) ?? 0) + 1);
  }
  const filed = { start: new Map(), end: new Map(), inside: new Map() } as Record<
    Place,
    Map<string, number[]>
  >;
  const always: number[] = [];
  for (const [at, keys] of keysOf.entries()) {
    yield;
    let rarest: Key | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const key of keys) {
      const count = uses[key.place].get(key.text) ?? 0;
      if (count >= fewest) continue;
      fewest = count;
      rarest = key;
    }
    if (!rarest) {
      always.push(at);
      continue;
    }
    const { place, text } = rarest;
    const same = filed[place].get(text);
    if (same) same.push(at);
    else filed[place].set(text, [at]);
  }
  const lengthsOf = (place: Place) => [...new Set([...filed[place].keys()].map(({ length }) => length))];
  const [starts, ends, pieces] = [lengthsOf('start'), lengthsOf('end'), lengthsOf('inside')];

  const candidates = (name: string): readonly number[] => {
    const found = new Set<readonly number[]>();
    if (always.length > 0) found.add(always);
    const add = (place: Place, text: string) => {
      const same = filed[place].get(text);
      if (same) found.add(same);
    };
    for (const length of starts) if (length <= name.length) add('start', name.slice(0, length));
    for (const length of ends) if (length <= name.length) add('end', name.slice(name.length - length));
    for (const length of pieces) {
      for (let at = 0; at + length <= name.length; at++) add('inside', name.slice(at, at + length));
    }
    if (found.size === 0) return [];
    const [first = [], ...others] = found;
    return others.length === 0 ? first : first.concat(...others).sort((a, b) => a - b);
  };
  return { patterns, candidates };
}

function keysIn(pattern: string): Key[] {
  const literals = pattern.split(/[*?]/);
  const keys: Key[] = [];
  const first = literals.at(0) ?? '';
  const last = literals.at(-1) ?? '';
  if (first !== '') keys.push({ place: 'start', text: first });
  if (last !== '') keys.push({ place: 'end', text: last });
  for (const literal of literals.slice(1, -1)) {
    const length = PIECE_LENGTHS.find((each) => each <= literal.length);
    if (length === undefined) continue;
    keys.push({ place: 'inside', text: literal.slice(0, length) });
    if (length < literal.length) keys.push({ place: 'inside', text: literal.slice(-length) });
  }
  return keys;
}

/** The place of the first pattern that matches; `undefined` if none does. */
export function firstMatch({ patterns, candidates }: PatternIndex, name: string): number | undefined {
  return candidates(name).find((at) => matches(patterns[at] ?? '', name));
}

/** The patterns that match at least one of the names. */
export function* patternsMatchingAny(
  patterns: readonly string[],
  names: Iterable<string>,
): Steps<ReadonlySet<string>> {
  const index = yield* indexPatterns(patterns);
  const matching = new Set<string>();
  for (const name of names) {
    if (matching.size === patterns.length) break;
    yield;
    for (const at of index.candidates(name)) {
      const pattern = patterns[at] ?? '';
      if (!matching.has(pattern) && matches(pattern, name)) matching.add(pattern);
    }
  }
  return matching;
}

/** Whether names match an include pattern (an empty list includes every name) and no exclude pattern. */
export function* createFilter(
  include: readonly string[],
  exclude: readonly string[],
): Steps<(name: string) => boolean> {
  const included = yield* indexPatterns(include);
  const excluded = yield* indexPatterns(exclude);
  return (name) =>
    (include.length === 0 || firstMatch(included, name) !== undefined) &&
    firstMatch(excluded, name) === undefined;
}
