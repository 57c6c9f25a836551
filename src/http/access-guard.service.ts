import { readFile } from 'node:fs/promises';
import { HttpException, Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import { CLOCK, type Clock } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import {
  type AdminToken,
  decideAccess,
  isAdminPath,
  isLoopback,
  needsAdmin,
  parseTokens,
} from './access-rules.js';
import { audit } from './audit.js';
import { sendProblem } from './problem.filter.js';
import { problemOf } from './problem.js';

/**
 * The one guard of everything that this process answers by HTTP. It stands before all routes, whoever mounts them and
 * when: the server exists before the first module, and nothing else is on it yet.
 */
@Injectable()
export class AccessGuardService implements OnApplicationShutdown {
  private readonly log = new Logger('Access');
  /** Entries of the audit that are being written. */
  private readonly pending = new Set<Promise<void>>();

  constructor(
    host: HttpAdapterHost,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    // Emits as soon as there is a server, before any route is mounted; never in a process that only runs jobs.
    host.init$.subscribe(() => {
      host.httpAdapter.use((request: Request, response: Response, next: NextFunction) => {
        this.guard(request, response).then((admitted) => admitted && next(), next);
      });
    });
  }

  private async guard(request: Request, response: Response): Promise<boolean> {
    const { method, originalUrl: url, headers } = request;
    const asked = { method, url, headers };
    const loopback = isLoopback(this.settings.HOST);
    const tokens = needsAdmin(asked) ? await this.tokens() : undefined;
    const verdict =
      tokens === 'unreadable'
        ? ({ admitted: false, status: 403, detail: 'The file of admin tokens cannot be used.' } as const)
        : decideAccess(asked, { loopback, tokens });
    if (verdict.admitted) {
      const { actor } = verdict;
      if (actor !== null && method !== 'GET' && method !== 'HEAD') this.keepTrack(request, response, actor);
      return true;
    }
    if (verdict.status === 401) {
      // A browser asks its user for the token where people go; programs are told what to send.
      const scheme = isAdminPath(url) && !url.startsWith('/api/') ? 'Basic' : 'Bearer';
      response.set('WWW-Authenticate', `${scheme} realm="mlflow-monitor admin"`);
    }
    sendProblem(request, response, problemOf(new HttpException(verdict.detail, verdict.status)));
    return false;
  }

  /** Read anew each time: it is small, and a token that was taken out must not go on serving. */
  private async tokens(): Promise<readonly AdminToken[] | 'unreadable' | undefined> {
    const { ADMIN_TOKEN_SHA256_FILE: file } = this.settings;
    if (!file) return undefined;
    try {
      return parseTokens(await readFile(file, 'utf8'));
    } catch (error) {
      this.log.error(`ADMIN_TOKEN_SHA256_FILE ${file}: ${error instanceof Error ? error.message : error}`);
      return 'unreadable';
    }
  }

  private keepTrack({ method, originalUrl }: Request, response: Response, actor: string): void {
    response.once('close', () => {
      const path = originalUrl.split('?', 1)[0] ?? '';
      const location = response.get('Location') ?? null;
      const entry = { actor, method, path, status: response.statusCode, location };
      const kept: Promise<void> = audit(this.store, entry, this.clock())
        .catch((error: unknown) =>
          this.log.error(`${method} ${path} by ${actor} could not be kept in the audit: ${error}`),
        )
        .finally(() => this.pending.delete(kept));
      this.pending.add(kept);
    });
  }

  /** All connections are closed by now. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.pending);
  }
}
