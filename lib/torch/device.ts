import { cpus } from 'node:os';
import { expected, guarded, KarloError } from '../errors.js';
import { addon, openCudaLibraries } from './load.js';

/** A device, or a kind of device that cannot be used and why. */
export interface DeviceInfo {
  /** `cpu` or `cuda:N`; `cuda` where none can be used. */
  device: string;
  /** Whether it can be used. */
  available: boolean;
  /** The processor's or the card's name; absent where none can be used. */
  name?: string;
  /** Bytes of the card's memory. */
  totalMemory?: number;
  /** Why it cannot be used, and what to do about it. */
  reason?: string;
}

/** Bytes of tensor memory on a device, of the whole process. */
export interface MemoryInfo {
  /** In use by tensors. */
  allocated: number;
  /** Held from the system or the driver, in use or not. */
  reserved: number;
  /** The highest `allocated` so far. */
  peak: number;
}

// CUDA 13.0, of which the pinned LibTorch is a build, and the first driver that serves it.
const minimumCuda = 13_000;
const minimumDriver = 580;

let cudaReason: string | undefined;

/**
 * Opens LibTorch's CUDA library on first use, and never before: CUDA costs nothing to those who do
 * not ask. Returns why there is no CUDA, or undefined where there is.
 */
function openCuda(): string | undefined {
  cudaReason ??= whyNoCuda() ?? '';
  return cudaReason === '' ? undefined : cudaReason;
}

function whyNoCuda(): string | undefined {
  const { cudaDriver, cudaDevices } = addon();
  const driver = cudaDriver();
  if (!driver.present) return `No NVIDIA driver can be used: ${driver.reason}`;
  if (driver.version < minimumCuda) {
    return `The NVIDIA driver serves CUDA ${cudaVersion(driver.version)} but this LibTorch needs ${cudaVersion(minimumCuda)}. Update it to ${minimumDriver} or newer (Ubuntu: apt-get install nvidia-driver-${minimumDriver}), or take the CPU: --device cpu`;
  }
  const reason = openCudaLibraries();
  if (reason !== undefined) return reason;
  try {
    return cudaDevices().length === 0 ? 'The NVIDIA driver shows no device' : undefined;
  } catch (error) {
    return `CUDA does not start: ${(error as Error).message}`;
  }
}

function cudaVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

/** The devices of this machine: the CPU first, then each CUDA device, or why there is none. */
export function devices(): DeviceInfo[] {
  const cpu = { device: 'cpu', available: true, name: cpus()[0]?.model.trim() || process.arch };
  const reason = openCuda();
  if (reason !== undefined) return [cpu, { device: 'cuda', available: false, reason }];
  const cards = guarded(() => addon().cudaDevices());
  return [
    cpu,
    ...cards.map((card, index) => ({ device: `cuda:${index}`, available: true, ...card })),
  ];
}

/** Checks that a device is one that could be: nothing is opened. */
export function deviceName(device: unknown, name = 'device'): string {
  if (typeof device === 'string' && /^(auto|cpu|cuda(:\d{1,2})?)$/.test(device)) return device;
  throw expected("'auto', 'cpu', 'cuda' or 'cuda:N'", name, device);
}

/**
 * The device that a name stands for, opened: `auto` is the first CUDA device if there is one and
 * else the CPU; nothing else ever falls back.
 * @param name of the option, for messages
 * @throws {KarloError} ERR_KARLO_DEVICE_UNAVAILABLE with the reason
 */
export function openDevice(device: unknown, name = 'device'): string {
  const wanted = deviceName(device, name);
  if (wanted === 'auto') return openCuda() === undefined ? 'cuda:0' : 'cpu';
  if (wanted === 'cpu') return wanted;
  const unavailable = (reason: string) =>
    new KarloError('ERR_KARLO_DEVICE_UNAVAILABLE', `Device '${wanted}' cannot be used. ${reason}`);
  const reason = openCuda();
  if (reason !== undefined) throw unavailable(reason);
  const index = Number(wanted.split(':')[1] ?? 0);
  const count = guarded(() => addon().cudaDevices()).length;
  if (index >= count) throw unavailable(`This machine has ${count}, numbered from 0`);
  return `cuda:${index}`;
}

/** Bytes of tensor memory on a device: `cpu` (default), `cuda` or `cuda:N`. */
export function memory(device = 'cpu'): MemoryInfo {
  return guarded(() => addon().memory(openDevice(device)));
}

/** Gives memory that is kept for coming tensors, on every device, back to the system. */
export function trimMemory(): void {
  guarded(() => addon().trimMemory());
}
