import { Body, Controller, Get, Header, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { CLOCK, type Clock } from '../config/runtime.js';
import { SETTINGS, type Settings } from '../config/settings.js';
import { MonitorError } from '../domain/errors.js';
import { adminOf } from '../http/access-rules.js';
import { actorOf } from '../http/actor.js';
import { adminOfSession, SESSION_COOKIE, SESSION_MS, sessionOf } from '../http/admin-session.js';
import { type AdminToken, readTokens } from '../http/admin-tokens.js';
import {
  ApiBearerAuth,
  ApiExcludeEndpoint,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '../http/documentation.js';
import { LoginCodes } from '../http/login-codes.js';
import { publicAddressOf } from '../http/public-address.js';

const loginSchema = z.strictObject({ token: z.string().min(1).max(1_000) });
const sessionSchema = z.object({
  /** The name of the admin's token; null if the browser is not signed in. */
  admin: z.string().nullable(),
});
type Session = z.infer<typeof sessionSchema>;
const linkSchema = z.object({ path: z.string() });

/** Signs browsers in as an admin, by a token or by a link that is valid once. */
@ApiTags('admin')
@Controller()
export class LoginController {
  constructor(
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LoginCodes) private readonly codes: LoginCodes,
  ) {}

  @Post('api/v1/login')
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign a browser in with an admin token' })
  @ApiOkResponse({ description: 'Sets a cookie.', standardSchema: sessionSchema })
  async login(
    @Body({ schema: loginSchema }) { token }: z.infer<typeof loginSchema>,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
  ): Promise<Session> {
    const tokens = await this.tokens();
    const admin = adminOf(token, tokens);
    if (admin === undefined) {
      throw new MonitorError('unknown_token', 'The token is not an admin token.', {}, false);
    }
    this.setCookie(request, response, tokens, admin);
    return { admin };
  }

  @Post('api/v1/logout')
  @HttpCode(200)
  @ApiOperation({ summary: 'Sign the browser out' })
  @ApiOkResponse({ description: 'Deletes the cookie.', standardSchema: sessionSchema })
  logout(@Req() request: Request, @Res({ passthrough: true }) response: Response): Session {
    response.clearCookie(SESSION_COOKIE, this.cookieOptions(request));
    return { admin: null };
  }

  @Get('api/v1/session')
  @Header('Cache-Control', 'no-store')
  @ApiOperation({ summary: 'Whether the browser is signed in' })
  @ApiOkResponse({ standardSchema: sessionSchema })
  async session(@Req() { headers }: Request): Promise<Session> {
    return { admin: adminOfSession(headers.cookie, await this.tokens(), this.clock()) ?? null };
  }

  @Post('api/v1/admin/login-links')
  @ApiBearerAuth()
  @ApiOperation({ summary: 'Create a link that signs a browser in; it is valid once, for 15 minutes' })
  @ApiOkResponse({ standardSchema: linkSchema })
  @HttpCode(200)
  createLink(@Req() request: Request): z.infer<typeof linkSchema> {
    return { path: this.codes.createPath(actorOf(request)) };
  }

  @Get('login/:code')
  @ApiExcludeEndpoint()
  async useLink(
    @Param('code') code: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const admin = this.codes.use(code);
    const signedIn = admin !== undefined && this.setCookie(request, response, await this.tokens(), admin);
    response.redirect(303, signedIn ? '../' : '../login?expired');
  }

  private tokens(): Promise<AdminToken[]> {
    const { ADMIN_TOKEN_SHA256_FILE, STORAGE_DIR } = this.settings;
    return readTokens(ADMIN_TOKEN_SHA256_FILE, STORAGE_DIR);
  }

  /** @returns false if the token has been removed */
  private setCookie(
    request: Request,
    response: Response,
    tokens: readonly AdminToken[],
    admin: string,
  ): boolean {
    const token = tokens.find(({ name }) => name === admin);
    if (!token) return false;
    const expires = this.clock() + SESSION_MS;
    response.cookie(SESSION_COOKIE, sessionOf(token, expires), {
      ...this.cookieOptions(request),
      expires: new Date(expires),
    });
    return true;
  }

  /** Under its public address, the service shares the host with others, which must not get the cookie. */
  private cookieOptions({ secure, headers }: Request) {
    const address = publicAddressOf(this.settings.PUBLIC_URL);
    const isPublic =
      address && [headers.host, headers.origin?.replace(/^https?:\/\//, '')].includes(address.host);
    return {
      httpOnly: true,
      // Browsers do not send it with requests of other sites.
      sameSite: 'strict',
      path: (isPublic && address.path) || '/',
      secure: secure || (isPublic && address.secure) === true,
    } as const;
  }
}
