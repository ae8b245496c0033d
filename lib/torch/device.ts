import { cpus } from 'node:os';
import { guarded, KarloError } from '../errors.js';
import { deviceName } from '../options/device-name.js';
import { type CudaGraphs, cudaGraphsStatistics, openCudaGraphs } from './cuda-graphs.js';
import { addon, openCudaLibraries } from './load.js';

/** A device, or a type of device that cannot be used and the reason. */
export interface DeviceInfo {
  /** `cpu` or `cuda:N`; plain `cuda` if no CUDA device can be used. */
  device: string;
  /** Whether it can be used. */
  available: boolean;
  /** The name of the processor or GPU; absent if the device cannot be used. */
  name?: string | undefined;
  /** The GPU's memory, in bytes. */
  totalMemory?: number | undefined;
  /** Why the device cannot be used, and how to fix that. */
  reason?: string | undefined;
}

/** The process's tensor memory on a device, in bytes. */
export interface MemoryInfo {
  /** In use by tensors. */
  allocated: number;
  /** Allocated from the system or the driver, in use or cached. */
  reserved: number;
  /** The highest `allocated` so far. */
  peak: number;
}

// The pinned LibTorch is built for CUDA 13.0, which needs this driver.
const minimumCuda = 13_000;
const minimumDriver = 580;

let cudaReason: string | undefined;
let graphsReason: string | undefined;

/** Returns why CUDA is unavailable, or undefined if it is available. */
function openCuda(): string | undefined {
  cudaReason ??= whyNoCuda() ?? '';
  return cudaReason === '' ? undefined : cudaReason;
}

function whyNoCuda(): string | undefined {
  const { cudaDriver, cudaDevices } = addon();
  const driver = cudaDriver();
  if (!driver.present) return noDriver(driver.reason);
  if (driver.version < minimumCuda) {
    return `The NVIDIA driver supports CUDA ${cudaVersion(driver.version)} but this LibTorch needs ${cudaVersion(minimumCuda)}. Update the driver to ${minimumDriver} or newer (Ubuntu: apt-get install nvidia-driver-${minimumDriver}), or use the CPU: --device cpu`;
  }
  const reason = openCudaLibraries();
  if (reason !== undefined) return reason;
  try {
    if (cudaDevices().length === 0) return 'The NVIDIA driver reports no device';
  } catch (error) {
    return `CUDA cannot be initialized: ${(error as Error).message}`;
  }
  graphsReason = openCudaGraphs();
  return undefined;
}

/** @param reason the linker's, such as `libcuda.so.1: cannot open shared object file: No such file or directory` */
function noDriver(reason: string): string {
  if (!/no such file|not find/i.test(reason)) return `No usable NVIDIA driver: ${reason}`;
  const [library] = reason.split(':');
  return `No NVIDIA driver is installed (${library} is missing). In a container, pass on the GPUs: docker run --gpus all`;
}

function cudaVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

/** This machine's devices: the CPU first, then each CUDA device, or the reason why there is none. */
export function devices(): DeviceInfo[] {
  const cpu = { device: 'cpu', available: true, name: cpus()[0]?.model.trim() || process.arch };
  const reason = openCuda();
  if (reason !== undefined) return [cpu, { device: 'cuda', available: false, reason }];
  const gpus = guarded(() => addon().cudaDevices());
  return [cpu, ...gpus.map((gpu, index) => ({ device: `cuda:${index}`, available: true, ...gpu }))];
}

/**
 * Resolves a device name and opens the device. `auto` is the first CUDA device if there is one, else
 * the CPU; no other name falls back to another device.
 * @param name the option's name in error messages
 * @throws {KarloError} ERR_KARLO_DEVICE_UNAVAILABLE, with the reason
 */
export function openDevice(device: unknown, name = 'device'): string {
  const requested = deviceName(device, name);
  if (requested === 'auto') return openCuda() === undefined ? 'cuda:0' : 'cpu';
  if (requested === 'cpu') return requested;
  const unavailable = (reason: string) =>
    new KarloError(
      'ERR_KARLO_DEVICE_UNAVAILABLE',
      `Device '${requested}' cannot be used. ${reason}`,
    );
  const reason = openCuda();
  if (reason !== undefined) throw unavailable(reason);
  const index = Number(requested.split(':')[1] ?? 0);
  const count = guarded(() => addon().cudaDevices()).length;
  if (index >= count)
    throw unavailable(
      `This machine has ${count} CUDA device${count === 1 ? '' : 's'}, numbered from 0`,
    );
  return `cuda:${index}`;
}

/** Why this package's CUDA kernels are not used on a CUDA device, where LibTorch's operators compute instead; undefined if they are. */
export function whyNoCudaKernels(device: string): string | undefined {
  return guarded(() => addon().cudaKernels(openDevice(device))) || undefined;
}

/** Tensor memory on a device: `cpu` (default), `cuda` or `cuda:N`. */
export function memory(device = 'cpu'): MemoryInfo {
  return guarded(() => addon().memory(openDevice(device)));
}

/** Whether the steps of loops are recorded as CUDA graphs, and how often that was of use. */
export function cudaGraphs(): CudaGraphs {
  return guarded(() => cudaGraphsStatistics(openCuda() ?? graphsReason));
}

/** Returns cached tensor memory, on every device, to the system. */
export function trimMemory(): void {
  guarded(() => addon().trimMemory());
}
