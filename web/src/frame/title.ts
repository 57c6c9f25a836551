import { useEffect } from 'preact/hooks';

/** The title of the window; null until it is known. */
export function useTitle(title: string | null): void {
  useEffect(() => {
    if (title !== null) document.title = `${title} · mlflow-monitor`;
  }, [title]);
}
