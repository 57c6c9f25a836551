import { isDeepStrictEqual } from 'node:util';
import { isMap, isSeq, parse, parseDocument, type YAMLSeq } from 'yaml';
import { MonitorError } from '../../domain/errors.js';
import { escapeControls } from '../../domain/text.js';

/** Rows to add to the lists of a catalog file. */
export interface CatalogAdditions {
  readonly metrics: readonly object[];
  readonly thresholds: readonly object[];
}

/** Text to insert before a place of a file. */
interface Insertion {
  /** UTF-16 units from the beginning. */
  readonly at: number;
  readonly text: string;
  /** Whether it begins a list: it comes after what extends a list at the same place. */
  readonly isNew?: boolean;
}

/**
 * Adds rows to the end of the lists of a catalog file (YAML or JSON), and changes nothing else: comments, order and format of
 * the file stay.
 * @returns the new text, and the change as a unified diff
 * @throws {MonitorError} `catalog_unreadable`
 */
export function insertRows(
  original: string,
  additions: CatalogAdditions,
  name: string,
): { text: string; diff: string } {
  const text = original === '' || original.endsWith('\n') ? original : `${original}\n`;
  const lists = (['metrics', 'thresholds'] as const).filter((list) => additions[list].length > 0);
  const insertions = lists
    .map((list) => insertionOf(text, list, additions[list]))
    .sort((a, b) => a.at - b.at || Number(a.isNew === true) - Number(b.isNew === true));
  const changed = insertions.reduceRight(
    (before, { at, text: added }) => before.slice(0, at) + added + before.slice(at),
    text,
  );
  assertOnlyAdded(text, changed, additions, name);
  return { text: changed, diff: unifiedDiff(text, insertions, name) };
}

function insertionOf(text: string, list: keyof CatalogAdditions, rows: readonly object[]): Insertion {
  const { contents } = parseDocument(text);
  const found = isMap(contents) ? contents.get(list) : undefined;
  if (isSeq(found) && found.items.length > 0) {
    return isFlow(found) ? afterFlowItem(found, rows) : afterBlockItem(text, found, rows);
  }
  if (isSeq(found) && found.range) {
    // `[]`: the rows take its place within the brackets.
    return {
      at: found.range[1] - 1,
      text: `\n${rows.map((row) => `    ${jsonOf(row)}`).join(',\n')}\n  `,
    };
  }
  if (isMap(contents) && contents.flow && contents.range) {
    const separator = contents.items.length > 0 ? ',\n  ' : '\n  ';
    const body = rows.map((row) => `    ${jsonOf(row)}`).join(',\n');
    return { at: contents.range[1] - 1, text: `${separator}"${list}": [\n${body}\n  ]\n` };
  }
  return { at: text.length, text: `${list}:\n${blockRows('  ', rows)}`, isNew: true };
}

const isFlow = (list: YAMLSeq): boolean => list.flow === true;
/** A row as YAML and JSON read it. */
const blockRows = (indent: string, rows: readonly object[]): string =>
  rows.map((row) => `${indent}- ${jsonOf(row)}\n`).join('');

function rangeOfLast(list: YAMLSeq): readonly [begin: number, end: number] {
  const last = list.items.at(-1);
  const range = typeof last === 'object' && last !== null && 'range' in last ? (last.range as number[]) : [];
  const [begin, end] = range;
  if (begin === undefined || end === undefined) throw new RangeError('the list has no place in the text');
  return [begin, end];
}

function afterFlowItem(list: YAMLSeq, rows: readonly object[]): Insertion {
  return { at: rangeOfLast(list)[1], text: rows.map((row) => `,\n    ${jsonOf(row)}`).join('') };
}

/** Behind the line of the last item, where its comment ends, too. */
function afterBlockItem(text: string, list: YAMLSeq, rows: readonly object[]): Insertion {
  const [begin, end] = rangeOfLast(list);
  const dash = text.lastIndexOf('-', begin - 1);
  const indent = /[^\n]*$/.exec(text.slice(0, dash))?.[0] ?? '';
  // The value of a block may end at the beginning of the next line.
  const lineEnd = text.indexOf('\n', Math.max(begin, text[end - 1] === '\n' ? end - 1 : end));
  return { at: lineEnd + 1, text: blockRows(indent, rows) };
}

/** The text was edited as text: this shows that the result has the rows that were added, and all others unchanged. */
function assertOnlyAdded(before: string, after: string, additions: CatalogAdditions, name: string): void {
  const old: Record<string, unknown> = parse(before) ?? {};
  const expected = { ...old };
  for (const list of ['metrics', 'thresholds'] as const) {
    const rows = Array.isArray(old[list]) ? old[list] : [];
    if (additions[list].length > 0) expected[list] = [...rows, ...additions[list]];
  }
  let actual: unknown;
  try {
    actual = parse(after);
  } catch {
    actual = undefined;
  }
  if (!isDeepStrictEqual(actual, expected)) {
    const message = `The rows cannot be added to ${name} without changing the rest. Write them to a file of their own with --out`;
    throw new MonitorError('catalog_unreadable', message);
  }
}

const CONTEXT_LINES = 3;

function unifiedDiff(text: string, insertions: readonly Insertion[], name: string): string {
  const out = [`--- ${name}`, `+++ ${name}`];
  let added = 0;
  for (const { at, text: inserted } of insertions) {
    const lineStart = text.lastIndexOf('\n', at - 1) + 1;
    const endOfLine = text.indexOf('\n', at);
    const lineEnd = endOfLine < 0 ? text.length : endOfLine;
    // Nothing of the line changes if the insertion is at its beginning.
    const isWhole = lineStart === at && inserted.endsWith('\n');
    const old = isWhole ? [] : [text.slice(lineStart, lineEnd)];
    const fresh = (
      isWhole ? inserted.slice(0, -1) : `${text.slice(lineStart, at)}${inserted}${text.slice(at, lineEnd)}`
    ).split('\n');
    const before = linesOf(text.slice(0, lineStart)).slice(-CONTEXT_LINES);
    const after = linesOf(text.slice(isWhole ? lineStart : Math.min(text.length, lineEnd + 1))).slice(
      0,
      CONTEXT_LINES,
    );
    const first = linesOf(text.slice(0, lineStart)).length - before.length + 1;
    const count = (lines: readonly string[]) => before.length + lines.length + after.length;
    out.push(
      `@@ -${first},${count(old)} +${first + added},${count(fresh)} @@`,
      ...before.map((line) => ` ${line}`),
      ...old.map((line) => `-${line}`),
      ...fresh.map((line) => `+${line}`),
      ...after.map((line) => ` ${line}`),
    );
    added += fresh.length - old.length;
  }
  return out.join('\n');
}

/** The lines of a text, without an empty one after the last line break. */
const linesOf = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'));

const jsonOf = (row: object): string => escapeControls(JSON.stringify(row));
