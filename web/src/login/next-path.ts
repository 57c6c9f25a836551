/** Where to go after the login: a path relative to this service, never another site. */
export function nextPath(next: string | null): string {
  if (next === null) return '.';
  // `//host` and `/\host` name other sites.
  const base = 'http://service.invalid';
  const target = URL.canParse(next, base) ? new URL(next, base) : null;
  return target?.origin === base ? `.${target.pathname}${target.search}` : '.';
}
