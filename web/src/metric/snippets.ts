/** Programs that read what a page shows, for copying. */

export interface Source {
  /** The address of the Parquet file. */
  readonly address: string;
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
    text: ({ address }) => `import pandas as pd

df = pd.read_parquet(${python(address)})
print(df.tail())
`,
  },
  {
    name: 'Streamlit',
    text: ({ address, application, metric }) => `import pandas as pd
import streamlit as st

st.title(${python(`${application}: ${metric}`)})
df = pd.read_parquet(${python(address)})
st.line_chart(df, x="timestamp", y=["value", "moving_avg"])
`,
  },
];
