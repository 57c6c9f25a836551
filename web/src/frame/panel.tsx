import { Component, type ComponentChildren } from 'preact';
import { isPlatformSettled } from '../service/events.js';
import { isSettled, type Loaded, type Use } from '../service/resource.js';

/**
 * A part of a page with its own data: of a fixed height while it loads, and with its own error, so that the other parts
 * stay usable.
 */
export function Panel<T>({
  of,
  name,
  height,
  phone = height,
  children,
}: {
  of: Use<T>;
  /** Begins a sentence: `The chart`. */
  name: string;
  /** The height while loading, px; of a narrow window `phone`, if it is another. */
  height: number;
  phone?: number;
  children: (data: T) => ComponentChildren;
}) {
  const { data, failure, previous, reload } = of;
  if (data === undefined) {
    return failure ? (
      <Broken name={name} message={failure.message} requestId={failure.requestId} retry={reload} />
    ) : (
      <div
        class="skeleton sized"
        style={{ '--height': `${height}px`, '--phone': `${phone}px` }}
        role="status"
      >
        <span class="hidden">{name} is loading</span>
      </div>
    );
  }
  return (
    <Boundary name={name}>
      {failure && <Outdated name={name} message={failure.message} retry={reload} />}
      <div class={previous ? 'pending' : ''} aria-busy={previous}>
        <Body>{() => children(data)}</Body>
      </div>
    </Boundary>
  );
}

/**
 * The parts of a page below its title, once everything that decides on the height of the first of them is known: what comes later would
 * move the others. Then each part has its own skeleton.
 */
export function Parts({
  after,
  children,
}: {
  after: readonly Loaded<unknown>[];
  children: ComponentChildren;
}) {
  if (isPlatformSettled.value && isSettled(...after)) return children;
  return (
    <div class="skeleton page-size" role="status">
      <span class="hidden">The page is loading</span>
    </div>
  );
}

/** Renders its content within the boundary: errors of a parent are not caught. */
const Body = ({ children }: { children: () => ComponentChildren }) => <>{children()}</>;

interface BoundaryProps {
  readonly name: string;
  readonly children: ComponentChildren;
}

/** Shows an error of a part of the page in its place. */
export class Boundary extends Component<BoundaryProps, { readonly failed: boolean }> {
  override state = { failed: false };

  static override getDerivedStateFromError() {
    return { failed: true };
  }

  override render({ name, children }: BoundaryProps) {
    if (!this.state.failed) return children;
    const retry = () => this.setState({ failed: false });
    return <Broken name={name} message="This is an error of the page" requestId={null} retry={retry} />;
  }
}

interface Problem {
  readonly name: string;
  /** Without a full stop. */
  readonly message: string;
  readonly retry: () => void;
}

function Broken({ name, message, requestId, retry }: Problem & { requestId: string | null }) {
  return (
    <div class="broken" role="alert">
      <p>
        <b>{name} cannot be shown.</b> {message}.
      </p>
      <p>
        <button type="button" onClick={retry}>
          Try again
        </button>
        {requestId && (
          <span class="quiet">
            Request id <code>{requestId}</code>
          </span>
        )}
      </p>
    </div>
  );
}

function Outdated({ name, message, retry }: Problem) {
  return (
    <p class="outdated" role="status">
      {name} may be out of date: {message.charAt(0).toLowerCase() + message.slice(1)}.{' '}
      <button type="button" class="plain" onClick={retry}>
        Try again
      </button>
    </p>
  );
}
