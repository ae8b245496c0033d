import { expected } from '../errors.js';

/**
 * Checks the form of a device's name, not whether the device exists.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function deviceName(device: unknown, name = 'device'): string {
  if (typeof device === 'string' && /^(auto|cpu|cuda(:\d{1,2})?)$/.test(device)) return device;
  throw expected("'auto', 'cpu', 'cuda' or 'cuda:N'", name, device);
}
