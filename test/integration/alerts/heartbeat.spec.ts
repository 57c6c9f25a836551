import { EventEmitter, once } from 'node:events';
import { Logger } from '@nestjs/common';
import { HeartbeatService } from '../../../src/alerts/delivery/heartbeat.service.js';
import { loadSettings } from '../../../src/config/settings.js';
import type { Engine } from '../../../src/pipeline/engine.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { answer, ScriptedServer } from '../../support/scripted-server.js';

Logger.overrideLogger(false);
let receiver: ScriptedServer;
const events = new EventEmitter();
const stopping = new AbortController();
let service: HeartbeatService;
/** Emits `request` for each heartbeat. */
const beats = new EventEmitter();

beforeEach(async () => {
  receiver = await ScriptedServer.start();
  receiver.script = [
    (response, received) => {
      answer(200)(response, received);
      beats.emit('request', received);
    },
  ];
  open({ ALERT_HEARTBEAT_URL: `${receiver.uri}/ping/secret-id` });
});
afterEach(async () => {
  service.onModuleDestroy();
  await receiver.close();
});

function open(env: Readonly<Record<string, string>>): void {
  service?.onModuleDestroy();
  const settings = loadSettings({
    MLFLOW_TRACKING_URI: 'http://localhost:5000',
    ALERT_ALLOW_PRIVATE_ADDRESSES: 'true',
    ...env,
  });
  service = new HeartbeatService({ events } as unknown as Engine, settings, stopping.signal);
  service.onModuleInit();
}

const finish = (kind: PipelineRun['kind'], status: PipelineRun['status'], here = true) =>
  events.emit('finished', { kind, status } as PipelineRun, here);

describe('the heartbeat', () => {
  it('is requested after each delta that succeeded in this process, and after nothing else', async () => {
    finish('delta', 'failed');
    finish('delta', 'cancelled');
    finish('historical', 'done');
    finish('delta', 'done', false);
    const first = once(beats, 'request');
    finish('delta', 'done');
    await first;
    const second = once(beats, 'request');
    finish('delta', 'done');
    await second;
    expect(receiver.received.map(({ url }) => url)).toEqual(['/ping/secret-id', '/ping/secret-id']);
  });

  it('is not requested without the setting', () => {
    open({});
    expect(events.listenerCount('finished')).toBe(0);
  });
});
