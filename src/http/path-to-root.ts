/**
 * The relative address of the service from a path of it: `./` from `/alerts`, `../` from `/admin/queues`. Responses use it
 * instead of absolute paths, because a proxy may serve them below a path that the service does not know.
 * @param url path and query
 */
export function pathToRoot(url: string): string {
  const [path = ''] = url.split('?', 1);
  return '../'.repeat(path.split('/').length - 2) || './';
}
