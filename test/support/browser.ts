import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findProgram } from './find-program.js';

export const findChromium = (): string | undefined =>
  findProgram('chromium', 'chromium-browser', 'google-chrome');

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const startChromium = (program: string): Promise<Browser> =>
  chromium.launch({ executablePath: program, args: FLAGS });

/** What a page complained about: errors and warnings of its console, and errors that nobody caught. */
export function complaintsOf(page: Page): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  return complaints;
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds with all its rules, one line for each element. */
export async function accessibilityOf(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  return page.evaluate(`
    axe.run(document, { runOnly: undefined }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ': ' + failureSummary)))
  `);
}

/** How much wider the page is than the window, px. */
export const overflowOf = (page: Page): Promise<number> =>
  page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
