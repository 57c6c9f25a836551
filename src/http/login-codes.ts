import { randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { CLOCK, type Clock } from '../config/runtime.js';

/** How long a link is valid, ms. */
const VALID_MS = 15 * 60_000;

/** One-time links that sign a browser in as an admin. They end with the process. */
@Injectable()
export class LoginCodes {
  private readonly unused = new Map<string, { readonly admin: string; readonly expires: number }>();

  constructor(@Inject(CLOCK) private readonly clock: Clock) {}

  /** @param admin the name of a token */
  createPath(admin: string): string {
    const now = this.clock();
    for (const [code, { expires }] of this.unused) if (expires <= now) this.unused.delete(code);
    const code = randomBytes(32).toString('base64url');
    this.unused.set(code, { admin, expires: now + VALID_MS });
    return `/login/${code}`;
  }

  /** @returns the name of the token; `undefined` if the code is unknown, used or expired */
  use(code: string): string | undefined {
    const found = this.unused.get(code);
    this.unused.delete(code);
    return found && found.expires > this.clock() ? found.admin : undefined;
  }
}
