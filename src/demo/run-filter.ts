import type { FakeRun } from './fakes.js';

/** An error response of MLflow. */
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
/** MLflow supports this, the demo server does not: an error is better than a response that MLflow would not send. */
const notImplemented = (what: string): MlflowError =>
  new MlflowError(501, 'NOT_IMPLEMENTED', `The demo server does not support ${what}`);

type Predicate = (run: FakeRun) => boolean;

// This behaviour was observed on MLflow 3.17 with its SQL store; the contract suite checks it against both servers.
const ATTRIBUTE = /^(?:(?:attributes?|attr|run)\.)?(\w+)$/;
const NUMERIC_ATTRIBUTES = ['start_time', 'end_time'] as const;
const TEXT_ATTRIBUTES = ['run_id', 'status'] as const;
/** Attributes that MLflow can search but the demo server cannot. */
const UNSUPPORTED_ATTRIBUTES = new Set(['run_name', 'user_id', 'artifact_uri', 'created', 'Created']);
const TAG = /^tags?\.(?:`([^`]+)`|(\w+))$/;
const TOKENS =
  /\s*(?:('[^']*'|"[^"]*")|(\([^()]*\))|(-?\d+(?:\.\d+)?)|([<>=!]+)|((?:[\w.]|`[^`]*`)+)|(\S))/gy;

const isOneOf = <T extends string>(names: readonly T[], name: string): name is T =>
  names.some((each) => each === name);

/** Parses the part of MLflow's filter language that this service uses. @throws {MlflowError} */
export function parseFilter(filter: string): Predicate {
  if (filter === '') return () => true;
  const tokens = [...filter.matchAll(TOKENS)].map(([token]) => token.trim());
  if (tokens.length === 0) throw invalid(`Invalid filter '${filter}'. Could not be parsed.`);
  const predicates: Predicate[] = [];
  for (let position = 0; position < tokens.length; ) {
    // MLflow ignores the position of an AND, and whether there is one.
    if (/^and$/i.test(tokens[position] ?? '')) {
      position++;
      continue;
    }
    const [name = '', comparator = '', value = ''] = tokens.slice(position, position + 3);
    if (!/^[<>=!]+$|^in$|^not$|^i?like$|^is$/i.test(comparator) || !/^[a-z]/i.test(name) || value === '')
      throw invalid(`Invalid clause(s) in filter string: '${name}'`);
    predicates.push(comparison(name, comparator.toUpperCase(), value));
    position += 3;
  }
  return (run) => predicates.every((matches) => matches(run));
}

function comparison(name: string, comparator: string, value: string): Predicate {
  const tag = TAG.exec(name);
  if (tag && comparator === '=' && /^['"]/.test(value)) {
    const tagKey = tag[1] ?? tag[2] ?? '';
    return (run) => tagOf(run, tagKey) === value.slice(1, -1);
  }
  const [, key = ''] = ATTRIBUTE.exec(name) ?? [];
  if (/^(metrics?|params?|parameters?|tags?|datasets?)\./.test(name) || UNSUPPORTED_ATTRIBUTES.has(key))
    throw notImplemented(`a filter on ${name}`);
  if (/^(NOT|I?LIKE|IS)$/.test(comparator)) throw notImplemented(`the comparator ${comparator}`);
  if (isOneOf(NUMERIC_ATTRIBUTES, key)) return compareNumber(key, comparator, value);
  if (isOneOf(TEXT_ATTRIBUTES, key)) return compareText(key, comparator, value);
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

function compareNumber(
  key: (typeof NUMERIC_ATTRIBUTES)[number],
  comparator: string,
  value: string,
): Predicate {
  if (!/^-?[\d.]+$/.test(value))
    throw invalid(`Expected numeric value type for numeric attribute: ${key}. Found ${value}`);
  const compare = COMPARE[comparator];
  if (!compare) throw invalid(`Invalid comparator '${comparator}'`);
  const limit = Number(value);
  // A comparison with an absent value is false, even with `!=`.
  return (run) => {
    const time = timeOf(run, key);
    return time !== null && compare(time, limit);
  };
}

function compareText(key: (typeof TEXT_ATTRIBUTES)[number], comparator: string, value: string): Predicate {
  if (value.startsWith('(')) {
    if (key !== 'run_id')
      throw invalid("Only ['run_id'] attributes support comparison with a list of quoted string values.");
    if (comparator !== 'IN') throw invalid(`Invalid comparator '${comparator}'`);
    const ids = parseList(value);
    return (run) => ids.has(run.run_id);
  }
  if (!/^['"]/.test(value)) throw invalid(`Parameter value is either not quoted: ${value}`);
  if (comparator !== '=' && comparator !== '!=') throw invalid(`Invalid comparator '${comparator}'`);
  const text = value.slice(1, -1);
  return (run) => (run[key] === text) === (comparator === '=');
}

function parseList(value: string): Set<string> {
  const items = value.slice(1, -1).replace(/,\s*$/, '').split(',');
  return new Set(
    items.map((item) => {
      const quoted = /^\s*('[^']*'|"[^"]*")\s*$/.exec(item)?.[1];
      if (quoted === undefined) throw invalid('expected a non-empty list of string values');
      return quoted.slice(1, -1);
    }),
  );
}

/** MLflow stores the name of a run as a tag, too. */
const tagOf = (run: FakeRun, key: string): string | undefined =>
  run.tags[key] ?? (key === 'mlflow.runName' ? (run.run_name ?? undefined) : undefined);

/** A missing start is 0, because `runs/create` writes 0. */
const timeOf = (run: FakeRun, key: (typeof NUMERIC_ATTRIBUTES)[number]): number | null =>
  key === 'start_time' ? (run.start_time ?? 0) : run.end_time;

/**
 * A comparator like MLflow's: by the given attributes with absent values last, then by descending start, then by id.
 * @throws {MlflowError}
 */
export function parseOrder(clauses: readonly string[]): (a: FakeRun, b: FakeRun) => number {
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

function orderKey(clause: string): { key: (typeof NUMERIC_ATTRIBUTES)[number]; sign: number } {
  const [name = '', direction = 'ASC', ...more] = clause.trim().split(/\s+/);
  if (name === '' || more.length > 0)
    throw invalid(`Invalid order_by clause '${clause}'. Could not be parsed.`);
  if (!/^(asc|desc)$/i.test(direction)) throw invalid(`Invalid ordering key in order_by clause '${clause}'.`);
  const [, key = ''] = ATTRIBUTE.exec(name) ?? [];
  if (isOneOf(NUMERIC_ATTRIBUTES, key)) return { key, sign: /^asc$/i.test(direction) ? 1 : -1 };
  if (key === '' || isOneOf(TEXT_ATTRIBUTES, key) || UNSUPPORTED_ATTRIBUTES.has(key))
    throw notImplemented(`ordering by ${name}`);
  throw invalid(`Invalid attribute key '${key}' specified.`);
}
