import { escapeControls } from '../../domain/text.js';
import type { Verdict } from '../../gate/contract.js';
import { reportGithub } from './report-github.js';
import { reportJunit } from './report-junit.js';
import { reportText } from './report-text.js';

export const CHECK_FORMATS = ['text', 'json', 'junit', 'github'] as const;
export type CheckFormat = (typeof CHECK_FORMATS)[number];

export function reportVerdict(verdict: Verdict, format: CheckFormat): string {
  if (format === 'json') return JSON.stringify(verdict, null, 2).split('\n').map(escapeControls).join('\n');
  if (format === 'junit') return reportJunit(verdict);
  return format === 'github' ? reportGithub(verdict) : reportText(verdict);
}
