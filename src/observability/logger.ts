import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Settings } from '../config/settings.js';
import { escapeControls, escapeLines } from '../domain/text.js';
import { logContext } from './log-context.js';

const LEVELS: readonly LogLevel[] = ['fatal', 'error', 'warn', 'log', 'debug', 'verbose'];
/** Contexts of Nest's start-up lines, which are of no use to users of the service. */
const NEST_CONTEXTS = new Set([
  'NestFactory',
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestApplication',
]);

/** Plain lines on a terminal, JSON lines elsewhere. Both name the job, and JSON lines its pipeline run. */
export class ServiceLogger extends ConsoleLogger {
  constructor(level: Settings['LOG_LEVEL'], asJson: boolean) {
    const lowest = LEVELS.indexOf(level === 'info' ? 'log' : level);
    super({ json: asJson, colors: !asJson, logLevels: LEVELS.slice(0, lowest + 1), compact: true });
  }

  override log(message: unknown, context?: string): void {
    if (context !== undefined && NEST_CONTEXTS.has(context)) return;
    super.log(message, ...(context === undefined ? [] : [context]));
  }

  protected override getJsonLogObject(
    ...parameters: Parameters<ConsoleLogger['getJsonLogObject']>
  ): ReturnType<ConsoleLogger['getJsonLogObject']> {
    return { ...super.getJsonLogObject(...parameters), ...logContext() };
  }

  protected override stringifyJsonLogObject(
    ...parameters: Parameters<ConsoleLogger['stringifyJsonLogObject']>
  ): string {
    return escapeControls(super.stringifyJsonLogObject(...parameters));
  }

  protected override stringifyMessage(message: unknown, level: LogLevel): string {
    return super.stringifyMessage(typeof message === 'string' ? escapeLines(message) : message, level);
  }

  protected override printStackTrace(stack: string): void {
    super.printStackTrace(stack && escapeLines(stack));
  }

  /** `21:22:05 WARN  the message (job)`: the time of day (UTC), the level unless it is `log`, the message, the job. */
  protected override formatMessage(level: LogLevel, message: unknown): string {
    const time = new Date().toISOString().slice(11, 19);
    const levelText = level === 'log' ? '' : `${this.colorize(level.toUpperCase().padEnd(5), level)} `;
    const job = logContext()?.job_id;
    return `${time} ${levelText}${this.stringifyMessage(message, level)}${job ? ` (${job})` : ''}\n`;
  }
}

/** @param isTerminal whether people read the output: decides the format if `LOG_FORMAT` is `auto` */
export function createLogger(settings: Settings, isTerminal: boolean): ServiceLogger {
  const json =
    settings.LOG_FORMAT === 'json' ||
    (settings.LOG_FORMAT === 'auto' && (!isTerminal || settings.NODE_ENV === 'production'));
  return new ServiceLogger(settings.LOG_LEVEL, json);
}
