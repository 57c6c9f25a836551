import { Logger } from '@nestjs/common';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { ACCURACY_CATALOG, type OpenService, openService } from '../../support/open-service.js';

Logger.overrideLogger(false);
const HOUR = 3_600_000;
const START = Date.parse('2026-03-10T15:30:00Z');

let mlflow: TrackingServer;
let service: OpenService;

beforeEach(async () => {
  mlflow = await TrackingServer.start(() => START);
  service = await openService({
    http: true,
    trackingUri: mlflow.uri,
    catalog: ACCURACY_CATALOG,
    clock: () => START,
  });
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
});

describe('GET /api/v1/events', () => {
  it('sends an event when a pipeline run ends, and completes when the service closes', async () => {
    const { experiment_id } = mlflow.experiment('churn');
    const metrics = [{ key: 'accuracy', value: 0.9, step: 0, timestamp: START - HOUR }];
    mlflow.run({ experiment_id, start_time: START - HOUR, metrics });
    const response = await fetch(`${service.url}/api/v1/events`, {
      headers: { Accept: 'text/event-stream' },
    });
    expect(response.headers.get('Content-Type')).toBe('text/event-stream');
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const receive = async (expected: string) => {
      while (!text.includes(expected)) {
        const { value, done } = (await reader?.read()) ?? { value: '', done: true };
        if (done) throw new Error(`The stream ended after ${text}`);
        text += value;
      }
    };
    await service.run('delta');
    await receive('"finished":["delta-1"]');
    expect(text).toContain('event: changed');
    expect(text).toContain('"2026-03-10"');
    const closed = service.close();
    for (let done = false; !done; ) done = (await reader?.read())?.done ?? true;
    await closed;
  });

  it('is limited for each address, also if many streams are opened at once', async () => {
    const open = () => fetch(`${service.url}/api/v1/events`);
    const opened = await Promise.all(Array.from({ length: 260 }, open));
    expect(opened.filter(({ status }) => status === 200)).toHaveLength(200);
    const denied = opened.filter(({ status }) => status !== 200);
    for (const { status, headers } of denied) {
      expect([status, headers.get('content-type')]).toEqual([429, 'application/problem+json; charset=utf-8']);
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    }
    expect(await denied[0]?.json()).toMatchObject({ code: 'too_many_streams' });
    expect((await fetch(`${service.url}/api/v1/platform/current`)).status).toBe(200);
  });
});
