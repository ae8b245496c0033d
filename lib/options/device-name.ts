import { expected } from '../errors.js';

/** The types of devices that a model can run on. */
export const deviceTypes = ['cpu', 'cuda'] as const;

/** The type of an open device: `cuda` of `cuda:0`. */
export function deviceTypeOf(device: string): (typeof deviceTypes)[number] {
  return device.split(':')[0] as (typeof deviceTypes)[number];
}

/**
 * Checks the form of a device's name, not whether the device exists.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function deviceName(device: unknown, name = 'device'): string {
  if (typeof device === 'string' && /^(auto|cpu|cuda(:\d{1,2})?)$/.test(device)) return device;
  throw expected("'auto', 'cpu', 'cuda' or 'cuda:N'", name, device);
}
