import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { startService } from '../../../src/cli/serve.js';
import { loadSettings } from '../../../src/config/settings.js';
import { openResources } from '../../../src/resources.js';
import type { ObjectStore } from '../../../src/storage/object-store.js';
import { httpRequest } from '../../support/http-request.js';
import { freePort } from '../../support/redis-server.js';
import { borrowQueueConnection } from '../../support/shared-queue.js';

it('shows the page before it creates the pipeline run of the start', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'start-'));
  const port = await freePort();
  const settings = loadSettings({
    // Nothing listens there: the start only warns.
    MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
    STORAGE_DIR: folder,
    HOST: '127.0.0.1',
    PORT: String(port),
    LOG_LEVEL: 'error',
    MAX_RETRIES: '0',
  });
  const pages: number[] = [];
  const asking = (store: ObjectStore): ObjectStore =>
    new Proxy(store, {
      get(target, name) {
        const value = Reflect.get(target, name);
        if (name !== 'put') return typeof value === 'function' ? value.bind(target) : value;
        return async (...parameters: Parameters<ObjectStore['put']>) => {
          if (parameters[0] === '_state/kinds/bootstrap.json')
            pages.push((await httpRequest(port, 'GET', '/api/v1/platform/current')).status);
          return target.put(...parameters);
        };
      },
    });
  const service = await startService(settings, async () => {
    const resources = await openResources(settings, Date.now, borrowQueueConnection);
    return { ...resources, store: asking(resources.store) };
  });
  try {
    expect(pages[0]).toBe(200);
  } finally {
    await service?.close();
    Logger.overrideLogger(false);
    await rm(folder, { recursive: true });
  }
});
