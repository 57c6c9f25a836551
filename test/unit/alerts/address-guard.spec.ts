import type { LookupAddress } from 'node:dns';
import { createAddressGuard, isPublicAddress } from '../../../src/alerts/channels/address-guard.js';

const PRIVATE = [
  '0.0.0.0',
  '0.1.2.3',
  '10.0.0.1',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:127.0.0.1',
  '::ffff:7f00:1',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
  '64:ff9b::10.0.0.1',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  '3fff::1',
  'fc00::1',
  'fd12:3456::1',
  'fe80::1',
  'fec0::1',
  'ff02::1',
];
const PUBLIC = [
  '1.1.1.1',
  '8.8.8.8',
  '9.255.255.255',
  '11.0.0.1',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.0.1',
  '172.32.0.1',
  '192.167.1.1',
  '198.17.0.1',
  '198.20.0.1',
  '223.255.255.255',
  '2606:4700::1111',
  '2a00:1450::1',
];

test.each(PRIVATE)('%s is not public', (address) => expect(isPublicAddress(address)).toBe(false));
test.each(PUBLIC)('%s is public', (address) => expect(isPublicAddress(address)).toBe(true));

describe('the check of a literal address', () => {
  // As `new URL` writes these hosts.
  test.each([
    'http://127.0.0.1/',
    'http://127.1/',
    'http://2130706433/',
    'http://0x7f.0.0.1/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[fe80::1]/',
    'http://0/',
  ])('refuses %s', (url) => {
    expect(() => createAddressGuard(false).check(new URL(url).hostname)).toThrow(
      expect.objectContaining({ code: 'address_refused', retryable: false }),
    );
  });

  test('accepts it if private addresses are allowed', () => {
    expect(() => createAddressGuard(true).check('127.0.0.1')).not.toThrow();
  });
});

describe('the resolution of a name', () => {
  const resolving = (...answers: readonly (readonly string[])[]) => {
    let n = 0;
    return ((_: string, __: unknown, callback: (error: null, found: LookupAddress[]) => void) => {
      const addresses = answers[Math.min(n++, answers.length - 1)] ?? [];
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
    }) as never;
  };
  const lookup = (guard: ReturnType<typeof createAddressGuard>, all = true) =>
    new Promise((resolve, reject) => {
      guard.lookup('rebind.example', { all }, (error, found) => (error ? reject(error) : resolve(found)));
    });

  test('returns public addresses, all or the first', async () => {
    const guard = createAddressGuard(false, resolving(['1.1.1.1', '2606:4700::1']));
    expect(await lookup(guard)).toHaveLength(2);
    expect(await lookup(guard, false)).toBe('1.1.1.1');
  });

  test('fails if any address is private', async () => {
    const guard = createAddressGuard(false, resolving(['1.1.1.1', '10.0.0.1']));
    await expect(lookup(guard)).rejects.toMatchObject({ code: 'address_refused' });
  });

  test('is checked each time: a name may resolve to another address at the next connection', async () => {
    const guard = createAddressGuard(false, resolving(['1.1.1.1'], ['127.0.0.1']));
    expect(await lookup(guard)).toHaveLength(1);
    await expect(lookup(guard)).rejects.toMatchObject({ code: 'address_refused' });
  });
});
