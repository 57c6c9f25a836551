import { subscribe } from '../../src/observability/diagnostics.js';

/** Collects the messages of what is reported with `reportError` during a test. @returns the list, empty at the start of each test */
export function reportedErrors(): string[] {
  const messages: string[] = [];
  let unsubscribe: () => void;
  beforeEach(() => {
    messages.length = 0;
    unsubscribe = subscribe((event) => event.type === 'error' && messages.push(event.error.message));
  });
  afterEach(() => unsubscribe());
  return messages;
}
