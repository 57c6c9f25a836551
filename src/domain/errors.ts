export interface MonitorErrorOptions extends ErrorOptions {
  /** What to change, as a sentence without a full stop that names the setting: `Correct MLFLOW_TRACKING_URI`. */
  readonly advice?: string | undefined;
}

/** An error of this service: a code for programs, details for people, and whether a retry can help. */
export class MonitorError extends Error {
  override readonly name: string = 'MonitorError';
  readonly advice: string | undefined;
  constructor(
    readonly code: string,
    message: string,
    readonly context: Readonly<Record<string, unknown>> = {},
    readonly retryable = false,
    options: MonitorErrorOptions = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.advice = options.advice;
  }
}

/** @returns the code of a system error, such as `ENOENT`; `undefined` for any other error */
export function errno(error: unknown): string | undefined {
  // By shape: under Jest, an error of Node's own modules is not an instance of the test's Error.
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** The message of anything that was thrown, and what to do about it if that is known. */
export function errorMessage(error: unknown): string {
  if (error instanceof MonitorError && error.advice) return `${error.message} → ${error.advice}`;
  return ownMessage(error);
}

/** The message of anything that was thrown. */
export function ownMessage(error: unknown): string {
  // By shape, as above.
  const message =
    typeof error === 'object' && error !== null && 'message' in error ? error.message : undefined;
  return typeof message === 'string' ? message : String(error);
}

/** The first line of an error's message, or its name if it has none, cut to 300 characters. */
export function firstLine(error: unknown): string {
  const message = errorMessage(error) || (error instanceof Error ? error.name : '');
  return (message.split('\n')[0] ?? '').slice(0, 300);
}
