import { applicationPath, changedQuery, metricPath, pageOf } from '../../../web/src/frame/routes.js';

describe('the addresses of the page', () => {
  it.each([
    'fraud-scoring',
    'a/b/metric/c',
    '100 %',
    '%2F',
    '?q=1#x',
    `<img src=x onerror="alert(1)">`,
    '模型 🚀',
    'admin',
    '\u202Eevil',
    ' blank ',
    ...['.', '..', '...', '~', '~.', '~~..', '.~', '../..', '..\\.', 'a/./b/../~../', '%2e', '%2E%2e'],
  ])('keep the name %j', (name) => {
    const path = metricPath(name, `${name}/p95`);
    expect(new URL(path, 'http://localhost').pathname).toBe(`/${path}`);
    // Proxies decode slashes and then resolve `..`.
    const decoded = path.replaceAll(/%2F/g, '/').replaceAll(/%5C/g, '\\');
    expect(new URL(decoded, 'http://localhost').pathname).toBe(`/${decoded.replaceAll('\\', '/')}`);
    expect(pageOf(`/${path}`)).toEqual({ kind: 'metric', application: name, metric: `${name}/p95` });
    expect(pageOf(`/${applicationPath(name)}`)).toEqual({ kind: 'application', application: name });
  });

  it('may name a metric `..` of an application `.`', () => {
    expect(new URL(metricPath('.', '..'), 'http://localhost').pathname).toBe('/app/~./metric/~..');
    expect(pageOf('/app/~./metric/~..')).toEqual({ kind: 'metric', application: '.', metric: '..' });
  });

  it('replace half a surrogate pair, which no published name has', () => {
    expect(pageOf(`/${applicationPath('a\uD800')}`)).toEqual({ kind: 'application', application: 'a\uFFFD' });
  });

  it.each([
    '/app',
    '/app/',
    '/app/a/b',
    '/app/a/metric/',
    '/app/a/metric/b/c',
    '/app/%zz',
    '/app/a/metric/%',
    '/x',
  ])('know no page at %s', (path) => {
    expect(pageOf(path)).toEqual({ kind: 'unknown' });
  });
});

describe('a changed query', () => {
  it('keeps the other parameters, and leaves out what is null or empty', () => {
    expect(changedQuery('?q=a%20b&status=critical', { status: 'warning' })).toBe('?q=a+b&status=warning');
    expect(changedQuery('?q=a&status=critical', { q: '', status: null })).toBe('');
  });
});
