import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { HttpException, Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import { CLOCK, type Clock } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { errorMessage } from '../domain/errors.js';
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
import { REQUEST_ID, sendProblem } from './problem.filter.js';
import { problemOf } from './problem.js';

/**
 * Gives every HTTP request to this process an id and checks its access. Its middleware runs before the routes of all modules: it is the
 * first one that the HTTP adapter gets.
 */
@Injectable()
export class AccessGuardService implements OnApplicationShutdown {
  private readonly log = new Logger('Access');
  /** Audit entries that are being written. */
  private readonly pendingEntries = new Set<Promise<void>>();

  constructor(
    host: HttpAdapterHost,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    // Emitted before any route is registered. The adapter is null in the commands `run` and `backfill`, which have no HTTP
    // server.
    host.init$.subscribe(() => {
      host.httpAdapter?.use((request: Request, response: Response, next: NextFunction) => {
        response.set(REQUEST_ID, randomUUID());
        this.admit(request, response).then((admitted) => admitted && next(), next);
      });
    });
  }

  /** Sends the response if it denies access. */
  private async admit(request: Request, response: Response): Promise<boolean> {
    const { method, originalUrl: url, headers } = request;
    const info = { method, url, headers };
    const loopback = isLoopback(this.settings.HOST);
    const tokens = needsAdmin(info) ? await this.readTokens() : undefined;
    const verdict =
      tokens === 'unreadable'
        ? ({
            admitted: false,
            status: 403,
            detail: 'The file of admin tokens is unreadable or invalid.',
          } as const)
        : decideAccess(info, { loopback, tokens });
    if (verdict.admitted) {
      const { actor } = verdict;
      if (actor !== null && method !== 'GET' && method !== 'HEAD')
        this.auditOnClose(request, response, actor);
      return true;
    }
    if (verdict.status === 401) {
      // With Basic, browsers prompt for the token on pages for people. Programs should send Bearer.
      const scheme = isAdminPath(url) && !url.startsWith('/api/') ? 'Basic' : 'Bearer';
      response.set('WWW-Authenticate', `${scheme} realm="mlflow-monitor admin"`);
    }
    sendProblem(request, response, problemOf(new HttpException(verdict.detail, verdict.status)));
    return false;
  }

  /** Reads the file for each request: it is small, and a removed token must stop working at once. */
  private async readTokens(): Promise<readonly AdminToken[] | 'unreadable' | undefined> {
    const { ADMIN_TOKEN_SHA256_FILE: file } = this.settings;
    if (!file) return undefined;
    try {
      return parseTokens(await readFile(file, 'utf8'));
    } catch (error) {
      this.log.error(`ADMIN_TOKEN_SHA256_FILE ${file}: ${errorMessage(error)}`);
      return 'unreadable';
    }
  }

  private auditOnClose({ method, originalUrl }: Request, response: Response, actor: string): void {
    response.once('close', () => {
      const path = originalUrl.split('?', 1)[0] ?? '';
      const location = response.get('Location') ?? null;
      const entry = { actor, method, path, status: response.statusCode, location };
      const written: Promise<void> = audit(this.store, entry, this.clock())
        .catch((error: unknown) =>
          this.log.error(`Writing the audit entry of ${method} ${path} by ${actor} failed: ${error}`),
        )
        .finally(() => this.pendingEntries.delete(written));
      this.pendingEntries.add(written);
    });
  }

  /** Nest has closed all connections before it calls this, so no entry is added any more. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.pendingEntries);
  }
}
