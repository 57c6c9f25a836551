import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Settings } from '../config/settings.js';
import { logContext } from './log-context.js';

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
  constructor(level: Settings['LOG_LEVEL'], asJson: boolean) {
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

  /** `21:22:05 WARN  the message (job)`: the time of day, the level where it is not the usual one, the job. */
  protected override formatMessage(level: LogLevel, message: unknown): string {
    const time = new Date().toISOString().slice(11, 19);
    const word = level === 'log' ? '' : `${this.colorize(level.toUpperCase().padEnd(5), level)} `;
    const job = logContext()?.job_id;
    return `${time} ${word}${this.stringifyMessage(message, level)}${job ? ` (${job})` : ''}\n`;
  }
}

export function createLogger(settings: Settings, isTerminal: boolean): ServiceLogger {
  const json =
    settings.LOG_FORMAT === 'json' ||
    (settings.LOG_FORMAT === 'auto' && (!isTerminal || settings.NODE_ENV === 'production'));
  return new ServiceLogger(settings.LOG_LEVEL, json);
}
