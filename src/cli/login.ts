import { z } from 'zod';
import { ADMIN_TOKEN_HINT, type RemoteService, sendToService } from './service-client.js';

/** Prints a link that signs a browser in as an admin; it is valid once, for 15 minutes. */
export async function printLoginLink(service: RemoteService): Promise<void> {
  const { path } = await sendToService(
    service,
    { method: 'POST', path: 'api/v1/admin/login-links', tokenHint: ADMIN_TOKEN_HINT },
    z.object({ path: z.string() }),
  );
  console.log(new URL(path.slice(1), service.url.replace(/\/*$/, '/')).href);
}
