import { fileURLToPath } from 'node:url';

/** The database of the embedded queue, written by the build. The path is the same from `src` and from `dist`. */
export const QUEUE_IMAGE = fileURLToPath(new URL('../../dist/queue/queue-image.tar', import.meta.url));
