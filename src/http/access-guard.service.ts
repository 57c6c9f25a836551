import { randomUUID } from 'node:crypto';
import {
  HttpException,
  Inject,
  Injectable,
  Logger,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { Application, NextFunction, Request, Response } from 'express';
import { CLOCK, type Clock } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { reportError } from '../observability/report-error.js';
import { OBJECT_STORE, type ObjectStore } from '../storage/object-store.js';
import { decideAccess, isAdminPath, isLoopback, isRead, needsAdmin } from './access-rules.js';
import { setActor } from './actor.js';
import { type AdminToken, ensureLocalToken, localTokenFile, readTokens } from './admin-tokens.js';
import { audit } from './audit.js';
import { pathToRoot } from './path-to-root.js';
import { REQUEST_ID, sendProblem } from './problem.filter.js';
import { problemOf } from './problem.js';
import { publicAddressOf, withoutProxyPath } from './public-address.js';
import { RESPONSE_HEADERS } from './response-headers.js';

/**
 * Gives every HTTP request to this process an id and checks its access. Its middleware runs before the routes of all modules: it is the
 * first one that the HTTP adapter gets.
 */
@Injectable()
export class AccessGuardService implements OnModuleInit, OnApplicationShutdown {
  private readonly log = new Logger('Access');
  /** Audit entries that are being written. */
  private readonly pendingEntries = new Set<Promise<void>>();

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    const { path = '' } = publicAddressOf(settings.PUBLIC_URL) ?? {};
    // Emitted before any route is registered. The adapter is null in the commands `run` and `backfill`, which have no HTTP
    // server.
    host.init$.subscribe(() => {
      host.httpAdapter?.getInstance<Application>().disable('x-powered-by');
      host.httpAdapter?.use((request: Request, response: Response, next: NextFunction) => {
        response.set({ [REQUEST_ID]: randomUUID(), ...RESPONSE_HEADERS });
        const url = withoutProxyPath(request.url, path);
        if (url === null) return response.redirect(308, `${path.split('/').at(-1)}/`);
        // Nothing after this sees the path of the proxy: neither the access rules nor routes, logs and audit.
        request.url = url;
        request.originalUrl = url;
        this.admit(request, response).then((admitted) => admitted && next(), next);
      });
    });
  }

  /** Only a process with admin requests needs a token of its own. */
  async onModuleInit(): Promise<void> {
    const { ADMIN_TOKEN_SHA256_FILE, ROLES, STORAGE_DIR } = this.settings;
    if (ADMIN_TOKEN_SHA256_FILE || !this.host.httpAdapter || !ROLES.includes('api')) return;
    await ensureLocalToken(STORAGE_DIR);
  }

  /** Sends the response if it denies access. */
  private async admit(request: Request, response: Response): Promise<boolean> {
    const { method, originalUrl: url, headers } = request;
    const info = { method, url, headers };
    const loopback = isLoopback(this.settings.HOST);
    const tokens = needsAdmin(info) ? await this.readTokens() : [];
    const verdict =
      tokens === 'unreadable'
        ? ({
            admitted: false,
            status: 403,
            detail: 'The file of admin tokens is unreadable or invalid.',
          } as const)
        : decideAccess(info, {
            loopback,
            allowedHosts: this.settings.ALLOWED_HOSTS,
            publicAddress: publicAddressOf(this.settings.PUBLIC_URL),
            tokens,
            now: this.clock(),
          });
    if (verdict.admitted) {
      const { actor } = verdict;
      if (actor !== null) setActor(request, actor);
      if (actor !== null && !isRead(method)) this.auditOnClose(request, response, actor);
      return true;
    }
    if (verdict.status === 401) {
      // A person in a browser gets a page to sign in.
      if (
        isRead(method) &&
        isAdminPath(url) &&
        !url.startsWith('/api/') &&
        request.accepts('json', 'html') === 'html'
      ) {
        const login = `${pathToRoot(request.path)}login?next=${encodeURIComponent(url)}`;
        response.set('Cache-Control', 'no-store').redirect(303, login);
        return false;
      }
      response.set('WWW-Authenticate', 'Bearer realm="mlflow-monitor admin"');
    }
    sendProblem(request, response, problemOf(new HttpException(verdict.detail, verdict.status)));
    return false;
  }

  private async readTokens(): Promise<readonly AdminToken[] | 'unreadable'> {
    const { ADMIN_TOKEN_SHA256_FILE: file, STORAGE_DIR: folder } = this.settings;
    try {
      return await readTokens(file, folder);
    } catch (error) {
      const source = file ? `ADMIN_TOKEN_SHA256_FILE ${file}` : localTokenFile(folder);
      reportError(error, { stage: 'access', prefix: source });
      return 'unreadable';
    }
  }

  private auditOnClose({ method, originalUrl }: Request, response: Response, actor: string): void {
    response.once('close', () => {
      const path = originalUrl.split('?', 1)[0] ?? '';
      const created = response.get('Location');
      const location = created === undefined ? null : new URL(created, `http://service${path}`).pathname;
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
