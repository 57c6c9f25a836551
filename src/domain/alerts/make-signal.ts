import { type AlertSubject, NO_EVIDENCE } from './incident.js';
import type { Ownership } from './measurements.js';
import type { AlertSignal } from './signal.js';

export const NOBODY: Ownership = { owner: null, contact: null, runbook: null };
export const PLATFORM: AlertSubject = { scope: 'platform', application: null, metric: null, item: null };

export const applicationSubject = (application: string): AlertSubject => ({
  scope: 'application',
  application,
  metric: null,
  item: null,
});

export const ownership = ({ owner, contact, runbook }: Ownership): Ownership => ({ owner, contact, runbook });

type Parts = Partial<Omit<AlertSignal, 'rule' | 'subject' | 'verdict'>> &
  Pick<AlertSignal, 'rule' | 'subject' | 'verdict'>;

/** A signal without late runs, evidence and owner, as far as `parts` says nothing else. */
export const signalOf = (parts: Parts): AlertSignal => ({
  verdict_on_time: parts.verdict,
  verdict_before_late: parts.verdict,
  since: null,
  window: null,
  evidence: NO_EVIDENCE,
  ...NOBODY,
  ...parts,
});

export const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
