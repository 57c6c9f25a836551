/** An error of this service: a code for programs, a context for people, and whether trying again can help. */
export class MonitorError extends Error {
  override readonly name: string = 'MonitorError';
  constructor(
    readonly code: string,
    message: string,
    readonly context: Readonly<Record<string, unknown>> = {},
    readonly retryable = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
