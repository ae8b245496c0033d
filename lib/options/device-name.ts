import { expected } from '../errors.js';
import { didYouMean } from './suggest.js';

/** The types of devices that a model can run on. */
export const deviceTypes = ['cpu', 'cuda', 'mps'] as const;

/** The type of an open device: `cuda` of `cuda:0`. */
export function deviceTypeOf(device: string): (typeof deviceTypes)[number] {
  return device.split(':')[0] as (typeof deviceTypes)[number];
}

/**
 * Checks the form of a device's name, not whether the device exists.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function deviceName(device: unknown, name = 'device'): string {
  if (typeof device === 'string' && /^(auto|cpu|mps|cuda(:\d{1,2})?)$/.test(device)) return device;
  throw expected(
    "'auto', 'cpu', 'cuda', 'cuda:N' or 'mps'",
    name,
    device,
    suggestion(String(device)),
  );
}

/** GPUs that other programs run on. */
const otherDevices = /^(rocm|hip|xpu|dml|directml|vulkan|opencl|tpu|npu)\b/i;

function suggestion(device: string): string | undefined {
  if (otherDevices.test(device)) return 'only CPUs, NVIDIA GPUs and Apple GPUs are supported';
  if (/^(metal|mps:0)$/i.test(device)) return 'did you mean mps?';
  const [, index] = /^(?:gpu|nvidia|cuda)?:?(\d{1,2})$/i.exec(device) ?? [];
  return index === undefined
    ? didYouMean(device, ['auto', ...deviceTypes])
    : `did you mean cuda:${Number(index)}?`;
}
