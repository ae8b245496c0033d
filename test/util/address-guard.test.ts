import type { LookupAddress } from 'node:dns';
import { expect, test } from 'vitest';
import { AddressGuard, isPublicAddress } from '../../lib/util/address-guard.js';

test.each([
  ['1.1.1.1', true],
  ['172.32.0.1', true],
  ['198.18.0.1', true],
  ['2606:4700::1', true],
  ['::ffff:1.1.1.1', true],
  ['64:ff9b::1.1.1.1', true],
  ['2002:101:101::', true],
  ['0.0.0.0', false],
  ['10.1.2.3', false],
  ['100.100.100.200', false],
  ['127.0.0.2', false],
  ['169.254.169.254', false],
  ['172.31.255.255', false],
  ['192.168.1.1', false],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['::', false],
  ['::1', false],
  ['::ffff:10.0.0.1', false],
  ['64:ff9b::10.0.0.1', false],
  ['2002:a00:1::', false],
  ['fd00::1', false],
  ['fe80::1%eth0', false],
  ['ff02::1', false],
])('%s is on the internet: %s', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});

const resolve = (guard: AddressGuard, all: boolean) =>
  new Promise<string | LookupAddress[]>((done, failed) => {
    guard.lookup('localhost', { all }, (error, found) => (error ? failed(error) : done(found)));
  });

test('a name is resolved and checked at once', async () => {
  const guard = new AddressGuard('hub.invalid');
  const message = /^localhost has the private address (127\.0\.0\.1|::1)$/;
  await expect(resolve(guard, true)).rejects.toThrow(message);
  await expect(resolve(guard, false)).rejects.toThrow(message);
});

test('the trusted host may have any address', async () => {
  const guard = new AddressGuard('localhost');
  expect(await resolve(guard, false)).toMatch(/^(127\.0\.0\.1|::1)$/);
  expect((await resolve(guard, true)).length).toBeGreaterThan(0);
  const loopback = new AddressGuard('[::1]');
  expect(() => loopback.check('[::1]')).not.toThrow();
  expect(() => loopback.check('127.0.0.1')).toThrow('127.0.0.1 is a private address');
});
