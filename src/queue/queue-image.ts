import { fileURLToPath } from 'node:url';

/** Where the build leaves the embedded queue's database: the same place seen from the sources and from `dist`. */
export const QUEUE_IMAGE = fileURLToPath(new URL('../../dist/queue/queue-image.tar', import.meta.url));
