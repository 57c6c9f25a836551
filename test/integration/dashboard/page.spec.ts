import { Logger } from '@nestjs/common';
import { TrackingServer } from '../../../src/demo/tracking-server.js';
import { type OpenService, openService } from '../../support/open-service.js';

Logger.overrideLogger(false);

let mlflow: TrackingServer;
let service: OpenService;

beforeEach(async () => {
  mlflow = await TrackingServer.start();
  service = await openService({ http: true, trackingUri: mlflow.uri, catalog: null });
});
afterEach(async () => {
  await service.close();
  await mlflow.close();
});

describe('GET /', () => {
  it('serves the page and its assets only, with a strict policy', async () => {
    const page = await fetch(service.url);
    const html = await page.text();
    expect(page.status).toBe(200);
    expect(page.headers.get('Content-Type')).toMatch('text/html');
    expect(page.headers.get('Cache-Control')).toBe('no-cache');
    expect(page.headers.get('X-Content-Type-Options')).toBe('nosniff');
    const policy = page.headers.get('Content-Security-Policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|data:|https?:|\*/);
    const assets = [...html.matchAll(/(?:src|href)="\.(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '');
    expect(assets.length).toBeGreaterThanOrEqual(3);
    for (const path of assets) {
      const asset = await fetch(service.url + path, { headers: { 'Accept-Encoding': 'br' } });
      if (!path.endsWith('.svg')) expect(asset.headers.get('Content-Encoding')).toBe('br');
      expect([path, asset.status]).toEqual([path, 200]);
      expect(asset.headers.get('Cache-Control')).toContain('immutable');
    }
    expect((await fetch(`${service.url}/assets/none.js`)).status).toBe(404);
    // Where a browser looks for them before the page has corrected its element `base`.
    for (const folder of ['/app', '/app/a/b']) {
      const [file = ''] = assets;
      const guessed = await fetch(service.url + folder + file);
      expect(await guessed.text()).toBe(await (await fetch(service.url + file)).text());
    }
    expect((await fetch(`${service.url}/..%2fmain.js`)).status).toBe(404);
    // Names may be any text. The page reads them from its address.
    for (const [path, base] of [
      ['/app/a%2Fb', '../" data-names'],
      ['/app/admin/metric/100%25?with=x', '../../../" data-names'],
      ['/app/..%2F..%2Fmain.js', '../" data-names'],
      ['/app/%zz', '../" data-names'],
      ['/app/assets/none.js', '../" data-names'],
      ['/alerts', './"'],
      ['/alerts/x', '../"'],
    ]) {
      const below = await fetch(service.url + path);
      const expected = html.replace('<base href="./"', `<base href="${base}`);
      expect([path, below.status, await below.text()]).toEqual([path, 200, expected]);
      expect(below.headers.get('Content-Security-Policy')).toBe(policy);
    }
    // The headers of a 304 replace those in the cache of the browser.
    const etag = page.headers.get('ETag') ?? '';
    const again = await service.request('GET', '/alerts', {
      headers: { 'if-none-match': etag, 'accept-encoding': 'br' },
    });
    expect([again.status, again.headers['content-security-policy']]).toEqual([304, policy]);
  });
});
