import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { createDocument } from '../storage/json-document.js';
import type { ObjectStore } from '../storage/object-store.js';

export const auditSchema = z.object({
  version: z.literal(1),
  /** When the response was complete, ISO 8601. */
  at: z.iso.datetime(),
  /** The name of the token, or `loopback`. */
  actor: z.string(),
  method: z.string(),
  path: z.string(),
  /** The HTTP status of the response. */
  status: z.int(),
  /** The `Location` header of the response: what the action created. */
  location: z.string().nullable(),
});
export type AuditEntry = Omit<z.infer<typeof auditSchema>, 'version' | 'at'>;

/** Stores one object per admin action: `_audit/YYYY/MM/DD/<time>-<random>.json`. @param now ms */
export async function audit(store: ObjectStore, entry: AuditEntry, now: number): Promise<void> {
  const at = new Date(now).toISOString();
  const day = at.slice(0, 10).replaceAll('-', '/');
  const key = `_audit/${day}/${at.replaceAll(':', '-')}-${randomUUID().slice(0, 8)}.json`;
  await createDocument(store, key, auditSchema, { version: 1 as const, at, ...entry });
}
