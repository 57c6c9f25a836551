// The built service in this process, without HTTP and schedules: pipeline runs begin when they are called for. Settings are
// environment variables. Calls: `open`, `run`, `clock`, `usage`.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { answerCalls } from '../lib/answer-calls.mjs';
import { usage } from '../lib/usage-at-exit.mjs';

const load = (path) => import(pathToFileURL(join(process.env.DIST, path)).href);
const { loadSettings } = await load('config/settings.js');
const { openResources } = await load('resources.js');
const { AppModule } = await load('app.module.js');
const { ENGINE } = await load('pipeline/engine.js');

let offset = 0;
let app;
let resources;
let engine;
/** Calls of the store by method. */
let requests = {};

/** Counts the calls. */
function counting(store) {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args) => {
        requests[name] = (requests[name] ?? 0) + 1;
        return value.apply(target, args);
      };
    },
  });
}

function runToEnd(kind, window) {
  return new Promise((done, fail) => {
    const ended = new Map();
    let id;
    const check = () => {
      const record = ended.get(id);
      if (!record) return;
      engine.events.off('finished', onFinished);
      if (record.status === 'done') done(record);
      else fail(new Error(`${id} failed: ${JSON.stringify(record.error)}`));
    };
    const onFinished = (record) => {
      ended.set(record.id, record);
      check();
    };
    engine.events.on('finished', onFinished);
    engine.create(kind, { scheduledAt: null, ...(window ? { window } : {}) }).then((created) => {
      id = created;
      check();
    }, fail);
  });
}

answerCalls(
  {
    async open({ now }) {
      if (now !== undefined) offset = now - Date.now();
      Logger.overrideLogger(['error', 'warn']);
      const settings = loadSettings({ ...process.env, ROLES: 'worker' });
      resources = await openResources(settings, () => Date.now() + offset);
      const module = AppModule.register({ ...resources, store: counting(resources.store) }, false);
      app = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
      engine = app.get(ENGINE);
    },
    clock({ now }) {
      offset = now - Date.now();
    },
    async run({ kind, window }) {
      requests = {};
      const { cpu } = usage();
      const start = performance.now();
      await runToEnd(kind, window);
      const after = usage();
      const all = Object.values(requests).reduce((sum, count) => sum + count, 0);
      return {
        wall: (performance.now() - start) / 1000,
        cpu: after.cpu - cpu,
        memory: after.memory,
        requests: all,
        byMethod: { ...requests },
      };
    },
  },
  async () => {
    await app?.close();
    await resources?.close();
  },
);
