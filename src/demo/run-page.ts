import { readFileSync } from 'node:fs';
import type { FakeResponse } from './fakes.js';

const HEADERS = {
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
};
const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['run.html', 'text/html; charset=utf-8'],
  '/run.js': ['run.js', 'text/javascript; charset=utf-8'],
  '/run.css': ['run.css', 'text/css; charset=utf-8'],
};

/**
 * A file of the demo's page of a run, which has the same URL as a run's page in MLflow; `undefined` if the path is none of
 * its files.
 */
export function runPage(path: string): FakeResponse | undefined {
  const [file, type] = FILES[path] ?? [];
  if (!file || !type) return undefined;
  const body = readFileSync(new URL(`./page/${file}`, import.meta.url), 'utf8');
  return { status: 200, body, headers: { ...HEADERS, 'Content-Type': type } };
}
