import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

/** A button that copies a text, and says that it did. */
export function Copy({ text, children }: { text: string; children: ComponentChildren }) {
  const [state, setState] = useState<'' | 'Copied' | 'Copying is not allowed here'>('');
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState('Copied');
    } catch {
      // Browsers allow it on https and on this machine only.
      setState('Copying is not allowed here');
    }
  };
  return (
    <>
      <button type="button" class="plain" onClick={copy} onBlur={() => setState('')}>
        {children}
      </button>
      <span class="copied" role="status">
        {state && ` ${state}`}
      </span>
    </>
  );
}
