import { z } from 'zod';
import type { Steps } from '../domain/steps.js';

const ITEMS_AT_ONCE = 50;
/** Smaller lists are validated at once. */
const MANY_ITEMS = 500;

/**
 * As `schema.safeParse(value)`, for objects whose fields are long lists or records: validates a few items at a time.
 */
export function* validateSteps<T>(schema: z.ZodType<T>, value: unknown): Steps<z.ZodSafeParseResult<T>> {
  const whole = schema;
  if (!(schema instanceof z.ZodObject) || hasChecks(schema) || !isRecord(value))
    return whole.safeParse(value);
  const shell: Record<string, unknown> = { ...value };
  const parsed = new Map<string, unknown>();
  for (const [name, field] of Object.entries(schema.shape)) {
    if (hasChecks(field)) continue;
    const part = value[name];
    if (field instanceof z.ZodArray && Array.isArray(part) && part.length > MANY_ITEMS) {
      const items: unknown[] = [];
      for (let at = 0; at < part.length; at += ITEMS_AT_ONCE) {
        yield;
        const result = field.safeParse(part.slice(at, at + ITEMS_AT_ONCE));
        if (!result.success) return failure<T>(result.error, name, at);
        for (const item of result.data as unknown[]) items.push(item);
      }
      shell[name] = [];
      parsed.set(name, items);
    } else if (field instanceof z.ZodRecord && isRecord(part)) {
      const entries = Object.entries(part);
      if (entries.length <= MANY_ITEMS) continue;
      const items: [string, unknown][] = [];
      for (let at = 0; at < entries.length; at += ITEMS_AT_ONCE) {
        yield;
        const result = field.safeParse(Object.fromEntries(entries.slice(at, at + ITEMS_AT_ONCE)));
        if (!result.success) return failure<T>(result.error, name);
        for (const item of Object.entries(result.data)) items.push(item);
      }
      shell[name] = {};
      parsed.set(name, Object.fromEntries(items));
    }
  }
  const result = whole.safeParse(shell);
  if (result.success)
    for (const [name, items] of parsed) (result.data as Record<string, unknown>)[name] = items;
  return result;
}

/** @param offset the index of the first validated item of a list */
function failure<T>({ issues }: z.ZodError, name: string, offset = 0): z.ZodSafeParseError<T> {
  const located = issues.map((issue) => {
    const path = issue.path.map((part, i) => (i === 0 && typeof part === 'number' ? part + offset : part));
    return { ...issue, path: [name, ...path] };
  });
  return { success: false, error: new z.ZodError(located) as z.ZodError<T> };
}

const hasChecks = (schema: { readonly _zod: { readonly def: unknown } }): boolean =>
  ((schema._zod.def as { checks?: readonly unknown[] }).checks?.length ?? 0) > 0;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
