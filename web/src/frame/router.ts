import { computed, signal } from '@preact/signals';
import { changedQuery, pageOf, type QueryChanges } from './routes.js';

/** The address bar is the state of the page: everything a reader can choose is in it, except the time zone. */
const address = signal(new URL(location.href));

/** The path of the service, with a slash at the end: `/`, or that of a proxy below which the service is. */
const base = new URL(document.baseURI).pathname;
/** The path below the address of the service, with a slash at its beginning; empty if it is not below. */
const pathBelow = (path: string): string => (path.startsWith(base) ? path.slice(base.length - 1) : '');

/** Compared by its text, so that a changed query does not render another page. */
export const pathname = computed(() => pathBelow(address.value.pathname));
export const page = computed(() => pageOf(pathname.value));

export const queryOf = (name: string): string | null => address.value.searchParams.get(name);

/** The address with some parameters changed; for links. */
export const withQuery = (changes: QueryChanges): string =>
  `${address.value.pathname}${changedQuery(address.value.search, changes)}`;

/**
 * Changes parameters of the address.
 * @param step whether the back button should undo it; typing in a filter should not be undone letter by letter
 */
export function changeQuery(changes: QueryChanges, step = true): void {
  const target = withQuery(changes);
  if (target === location.pathname + location.search) return;
  if (step) history.pushState(null, '', target);
  else history.replaceState(history.state, '', target);
  address.value = new URL(location.href);
}

function open(href: string): void {
  history.pushState(null, '', href);
  address.value = new URL(location.href);
  window.scrollTo(0, 0);
}

/** Handles links to pages of this program and the buttons of the browser's history. */
export function startRouter(): void {
  history.scrollRestoration = 'manual';
  document.addEventListener('click', (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    // The browser opens a new tab or window, or saves the target.
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || link.target || link.hasAttribute('download') || link.origin !== location.origin) return;
    if (link.getAttribute('href')?.startsWith('#')) {
      // "Skip to content": the browser would resolve it by the element `base`, to another page.
      event.preventDefault();
      document.querySelector<HTMLElement>(link.hash)?.focus();
      return;
    }
    if (link.hash || pageOf(pathBelow(link.pathname)).kind === 'unknown') return;
    event.preventDefault();
    if (link.href !== location.href) open(link.href);
  });
  addEventListener('scrollend', () => {
    history.replaceState({ scroll: scrollY }, '');
  });
  addEventListener('popstate', ({ state }) => {
    address.value = new URL(location.href);
    // After the page is rendered: it decides how far one can scroll.
    requestAnimationFrame(() => window.scrollTo(0, Number(state?.scroll ?? 0)));
  });
}
