import { useState } from 'preact/hooks';
import { Copy } from '../frame/copy.jsx';
import { readAddress } from '../service/read-api.js';
import { SNIPPETS } from './snippets.js';
import { type Shown, spanQuery } from './span.js';

/** What the page shows, for other programs. */
export function Export({ application, metric, span }: { application: string; metric: string; span: Shown }) {
  const [chosen, choose] = useState<string | null>(null);
  const pathOf = (format: 'csv' | 'parquet' | 'json') =>
    readAddress('/api/v1/series', { application, metric, ...spanQuery(span), max_points: 50_000, format });
  const snippet = SNIPPETS.find(({ name }) => name === chosen);
  const text = snippet?.text({
    address: new URL(pathOf('parquet'), document.baseURI).href,
    application,
    metric,
  });
  return (
    <section class="export" aria-labelledby="export">
      <h2 id="export">Use these runs elsewhere</h2>
      <p>
        <a href={pathOf('csv')} download>
          CSV
        </a>
        <a href={pathOf('parquet')} download>
          Parquet
        </a>
        <a href={pathOf('json')}>JSON</a>
        {SNIPPETS.map(({ name }) => (
          <button
            type="button"
            key={name}
            class="plain"
            aria-expanded={name === chosen}
            onClick={() => choose(name === chosen ? null : name)}
          >
            {name}
          </button>
        ))}
      </p>
      {text && (
        <>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it. */}
          <pre tabIndex={0}>{text}</pre>
          <Copy text={text}>Copy</Copy>
        </>
      )}
    </section>
  );
}
