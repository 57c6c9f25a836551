import type { FakeRun } from './fakes.js';

/** What MLflow answers instead of a result. */
export class MlflowError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
export const invalid = (message: string): MlflowError =>
  new MlflowError(400, 'INVALID_PARAMETER_VALUE', message);
/** MLflow knows this and the demo server does not: never an answer that MLflow would not give. */
const unknownHere = (what: string): MlflowError =>
  new MlflowError(501, 'NOT_IMPLEMENTED', `The demo server does not know ${what}`);

type Test = (run: FakeRun) => boolean;

// All of this was seen on MLflow 3.17 with its SQL store, and is held to it by the contract suite.
const ATTRIBUTE = /^(?:(?:attributes?|attr|run)\.)?(\w+)$/;
const NUMBERS = ['start_time', 'end_time'] as const;
const TEXTS = ['run_id', 'status'] as const;
/** Attributes that MLflow can search too. */
const OTHERS = new Set(['run_name', 'user_id', 'artifact_uri', 'created', 'Created']);
const TOKENS = /\s*(?:('[^']*'|"[^"]*")|(\([^()]*\))|(-?\d+(?:\.\d+)?)|([<>=!]+)|([\w.`]+)|(\S))/gy;

const isOneOf = <T extends string>(names: readonly T[], name: string): name is T =>
  names.some((each) => each === name);

/** MLflow's filter language as far as the client uses it. @throws {MlflowError} */
export function parseFilter(filter: string): Test {
  if (filter === '') return () => true;
  const tokens = [...filter.matchAll(TOKENS)].map(([token]) => token.trim());
  if (tokens.length === 0) throw invalid(`Invalid filter '${filter}'. Could not be parsed.`);
  const tests: Test[] = [];
  for (let at = 0; at < tokens.length; ) {
    // Where an AND stands, or whether, does not matter to MLflow.
    if (/^and$/i.test(tokens[at] ?? '')) {
      at++;
      continue;
    }
    const [name = '', comparator = '', value = ''] = tokens.slice(at, at + 3);
    if (!/^[<>=!]+$|^in$|^not$|^i?like$|^is$/i.test(comparator) || !/^[a-z]/i.test(name) || value === '')
      throw invalid(`Invalid clause(s) in filter string: '${name}'`);
    tests.push(comparison(name, comparator.toUpperCase(), value));
    at += 3;
  }
  return (run) => tests.every((test) => test(run));
}

function comparison(name: string, comparator: string, value: string): Test {
  const [, key = ''] = ATTRIBUTE.exec(name) ?? [];
  if (/^(metrics?|params?|parameters?|tags?|datasets?)\./.test(name) || OTHERS.has(key))
    throw unknownHere(`the filter on ${name}`);
  if (/^(NOT|I?LIKE|IS)$/.test(comparator)) throw unknownHere(`the comparator ${comparator}`);
  if (isOneOf(NUMBERS, key)) return compareNumber(key, comparator, value);
  if (isOneOf(TEXTS, key)) return compareText(key, comparator, value);
  throw invalid(`Invalid attribute key '${name}' specified.`);
}

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

function compareNumber(key: (typeof NUMBERS)[number], comparator: string, value: string): Test {
  if (!/^-?[\d.]+$/.test(value))
    throw invalid(`Expected numeric value type for numeric attribute: ${key}. Found ${value}`);
  const compare = COMPARE[comparator];
  if (!compare) throw invalid(`Invalid comparator '${comparator}'`);
  const limit = Number(value);
  // A comparison with an absent value is false, `!=` too.
  return (run) => {
    const time = timeOf(run, key);
    return time !== null && compare(time, limit);
  };
}

function compareText(key: (typeof TEXTS)[number], comparator: string, value: string): Test {
  if (value.startsWith('(')) {
    if (key !== 'run_id')
      throw invalid("Only ['run_id'] attributes support comparison with a list of quoted string values.");
    if (comparator !== 'IN') throw invalid(`Invalid comparator '${comparator}'`);
    const ids = listOf(value);
    return (run) => ids.has(run.run_id);
  }
  if (!/^['"]/.test(value)) throw invalid(`Parameter value is either not quoted: ${value}`);
  if (comparator !== '=' && comparator !== '!=') throw invalid(`Invalid comparator '${comparator}'`);
  const text = value.slice(1, -1);
  return (run) => (run[key] === text) === (comparator === '=');
}

function listOf(value: string): Set<string> {
  const items = value.slice(1, -1).replace(/,\s*$/, '').split(',');
  return new Set(
    items.map((item) => {
      const quoted = /^\s*('[^']*'|"[^"]*")\s*$/.exec(item)?.[1];
      if (quoted === undefined) throw invalid('expected a non-empty list of string values');
      return quoted.slice(1, -1);
    }),
  );
}

/** A run without a start has 0: `runs/create` writes it. */
const timeOf = (run: FakeRun, key: (typeof NUMBERS)[number]): number | null =>
  key === 'start_time' ? (run.start_time ?? 0) : run.end_time;

export type Order = (a: FakeRun, b: FakeRun) => number;

/** What MLflow sorts by: the given attributes, absent values last, then the newest start, then the id. @throws {MlflowError} */
export function parseOrder(clauses: readonly string[]): Order {
  const keys = clauses.map(orderKey);
  if (new Set(keys.map(({ key }) => key)).size < keys.length)
    throw new MlflowError(500, 'INTERNAL_ERROR', '`order_by` contains duplicate fields');
  if (!keys.some(({ key }) => key === 'start_time')) keys.push({ key: 'start_time', sign: -1 });
  return (a, b) => {
    for (const { key, sign } of keys) {
      const [first, second] = [timeOf(a, key), timeOf(b, key)];
      if (first === second) continue;
      if (first === null || second === null) return first === null ? 1 : -1;
      return sign * (first - second);
    }
    return a.run_id < b.run_id ? -1 : 1;
  };
}

function orderKey(clause: string): { key: (typeof NUMBERS)[number]; sign: number } {
  const [name = '', direction = 'ASC', ...more] = clause.trim().split(/\s+/);
  if (name === '' || more.length > 0)
    throw invalid(`Invalid order_by clause '${clause}'. Could not be parsed.`);
  if (!/^(asc|desc)$/i.test(direction)) throw invalid(`Invalid ordering key in order_by clause '${clause}'.`);
  const [, key = ''] = ATTRIBUTE.exec(name) ?? [];
  if (isOneOf(NUMBERS, key)) return { key, sign: /^asc$/i.test(direction) ? 1 : -1 };
  if (key === '' || isOneOf(TEXTS, key) || OTHERS.has(key)) throw unknownHere(`the order by ${name}`);
  throw invalid(`Invalid attribute key '${key}' specified.`);
}
