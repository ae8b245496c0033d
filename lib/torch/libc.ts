import { familySync, MUSL } from 'detect-libc';
import { KarloError } from '../errors.js';

/**
 * Checks the C library before anything else takes time: there is no LibTorch for musl.
 * @param family the C library of this process
 * @throws {KarloError} ERR_KARLO_ADDON_MISSING
 */
export function requireGlibc(family = familySync()): void {
  if (family !== MUSL) return;
  const expected = `Expected a system with glibc, which LibTorch needs, but this Node.js uses musl, as on Alpine Linux`;
  throw new KarloError(
    'ERR_KARLO_ADDON_MISSING',
    `${expected}.\nTo fix this, use an image with glibc 2.28 or newer, such as Debian's:\n  FROM node:22-slim    instead of node:22-alpine`,
  );
}
