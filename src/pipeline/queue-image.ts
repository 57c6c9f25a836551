import { fileURLToPath } from 'node:url';

/** Beside the built code, also for tests that run from the sources. */
export const QUEUE_IMAGE = fileURLToPath(new URL('../../dist/pipeline/queue-image.tar', import.meta.url));
