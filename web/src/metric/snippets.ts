/** Programs that read what a page shows, for copying. */

export interface Source {
  /** The address of the service, without a slash at the end. */
  readonly origin: string;
  /** Path and query of the Parquet file. */
  readonly path: string;
  readonly application: string;
  readonly metric: string;
}

/** A text in Python. JSON's escapes are also Python's. */
const python = (text: string): string => JSON.stringify(text);
/** A text in SQL. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const SNIPPETS: readonly { readonly name: string; readonly text: (source: Source) => string }[] = [
  {
    name: 'DuckDB',
    text: ({ application, metric }) => `SELECT timestamp, value, status, moving_avg, run_name
FROM 'data/metric_timeseries/*/*/*/*.parquet'
WHERE application = ${quoted(application)} AND metric_name = ${quoted(metric)}
ORDER BY timestamp;
`,
  },
  {
    name: 'pandas',
    text: ({ origin, path }) => `import pandas as pd

df = pd.read_parquet(${python(`${origin}${path}`)})
print(df.tail())
`,
  },
  {
    name: 'Streamlit',
    text: ({ origin, path, application, metric }) => `import pandas as pd
import streamlit as st

st.title(${python(`${application}: ${metric}`)})
df = pd.read_parquet(${python(`${origin}${path}`)})
st.line_chart(df, x="timestamp", y=["value", "moving_avg"])
`,
  },
];
