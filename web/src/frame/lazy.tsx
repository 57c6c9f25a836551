import { type Signal, signal } from '@preact/signals';
import type { ComponentType } from 'preact';

/** A component in a file of its own, which is loaded when the component is shown first. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const loaded: Signal<ComponentType<P> | null> = signal(null);
  const failed = signal(false);
  let requested = false;
  return function Lazy(props: P) {
    if (!requested) {
      requested = true;
      load().then(
        (component) => {
          loaded.value = component;
        },
        () => {
          requested = false;
          failed.value = true;
        },
      );
    }
    const Loaded = loaded.value;
    if (Loaded) return <Loaded {...props} />;
    // After an upgrade of the service its files have other names.
    if (failed.value) {
      return (
        <section class="empty" role="alert">
          <h1>A part of the page is missing</h1>
          <p>The service may have been upgraded. Reload the page.</p>
        </section>
      );
    }
    return <div class="skeleton list-size" role="status" />;
  };
}
