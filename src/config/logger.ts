import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import { logContext } from './log-context.js';
import type { Settings } from './settings.js';

const LEVELS: readonly LogLevel[] = ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'];
/** What Nest says of itself while it starts helps nobody who only wants to use the service. */
const NEST = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Lines for people on a terminal, JSON lines elsewhere; both name the pipeline run and the job they belong to. */
export class ServiceLogger extends ConsoleLogger {
  constructor(
    level: Settings['LOG_LEVEL'],
    private readonly asJson: boolean,
  ) {
    const least = LEVELS.indexOf(level === 'info' ? 'log' : level);
    super({ json: asJson, colors: !asJson, logLevels: LEVELS.slice(0, least + 1), compact: true });
  }

  override log(message: unknown, context?: string): void {
    if (context !== undefined && NEST.has(context)) return;
    super.log(message, ...(context === undefined ? [] : [context]));
  }

  protected override getJsonLogObject(
    ...parameters: Parameters<ConsoleLogger['getJsonLogObject']>
  ): ReturnType<ConsoleLogger['getJsonLogObject']> {
    return { ...super.getJsonLogObject(...parameters), ...logContext() };
  }

  protected override stringifyMessage(message: unknown, level: LogLevel): string {
    const context = logContext();
    const text = super.stringifyMessage(message, level);
    return context && !this.asJson ? `${text} (${context.job_id})` : text;
  }
}

export function createLogger(settings: Settings, isTerminal: boolean): ServiceLogger {
  const json =
    settings.LOG_FORMAT === 'json' ||
    (settings.LOG_FORMAT === 'auto' && (!isTerminal || settings.NODE_ENV === 'production'));
  return new ServiceLogger(settings.LOG_LEVEL, json);
}
