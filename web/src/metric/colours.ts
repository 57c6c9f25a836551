const NAMES = [
  'text',
  'muted',
  'line',
  'line-strong',
  'ink',
  'link',
  'surface',
  'critical',
  'warning',
  'critical-fill',
  'warning-fill',
  'healthy-fill',
  'invalid-fill',
  'critical-zone',
  'warning-zone',
] as const;

export type Colours = Readonly<Record<(typeof NAMES)[number], string>>;

/** The colours of the theme, for a canvas. */
export function readColours(): Colours {
  const style = getComputedStyle(document.documentElement);
  return Object.fromEntries(
    NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]),
  ) as unknown as Colours;
}
