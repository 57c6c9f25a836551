import { nextPath } from '../../../web/src/login/next-path.js';

describe('after the login', () => {
  it.each([
    ['/admin/queues', './admin/queues'],
    ['/app/a%2Fb?from=2d', './app/a%2Fb?from=2d'],
    [null, '.'],
    ['', './'],
  ])('%p leads to %p', (next, path) => {
    expect(nextPath(next)).toBe(path);
  });

  it.each(['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)', 'http://'])(
    '%p does not lead away',
    (next) => {
      expect(nextPath(next)).toBe('.');
    },
  );
});
