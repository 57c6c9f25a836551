import type { Request } from 'express';

const actors = new WeakMap<object, string>();

/** Remembers the admin whom the guard admitted with this request. */
export const setActor = (request: Request, actor: string): void => void actors.set(request, actor);

/** The name of the admin's token. @throws {Error} the request needed no admin */
export function actorOf(request: Request): string {
  const actor = actors.get(request);
  if (actor === undefined) throw new Error('The guard has admitted no admin with this request.');
  return actor;
}
