/** Values of a statement by name: `$file` in its text is `file`. */
export type Parameters = Readonly<
  Record<string, string | number | bigint | boolean | null | readonly string[]>
>;

/** Texts and comments, which may contain a dollar sign, or a parameter. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\$([a-z_]+)/g;

/** The statement with its values in place of its parameters. An unknown name stays. */
export const withLiterals = (statement: string, parameters: Parameters): string =>
  statement.replace(TOKEN, (token: string, name: string | undefined) => {
    const value = name === undefined ? undefined : parameters[name];
    return value === undefined ? token : literalOf(value);
  });

/** Has the type that the value has as a parameter of a prepared statement: lists contain text, `bigint` is a BIGINT. */
function literalOf(value: Parameters[string]): string {
  if (typeof value === 'string') return textOf(value);
  if (typeof value === 'bigint') return `CAST(${value} AS BIGINT)`;
  if (typeof value === 'number') {
    return Number.isInteger(value) ? `(${value})` : `CAST('${value}' AS DOUBLE)`;
  }
  if (typeof value === 'boolean' || value === null) return `${value}`;
  return `CAST([${value.map(textOf).join(', ')}] AS VARCHAR[])`;
}

/** A statement ends at its first U+0000. */
function textOf(text: string): string {
  const parts = text.replaceAll("'", "''").split('\0');
  return parts.length === 1
    ? `'${parts[0]}'`
    : `concat(${parts.map((part) => `'${part}'`).join(', chr(0), ')})`;
}
