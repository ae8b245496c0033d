import { cpus } from 'node:os';
import { guarded, KarloError } from '../errors.js';
import { deviceName } from '../options/device-name.js';
import { type CudaGraphs, cudaGraphsStatistics, openCudaGraphs } from './cuda-graphs.js';
import { addon, openCudaLibraries } from './load.js';

/** A device, or a type of device that cannot be used and the reason. */
export interface DeviceInfo {
  /** `cpu`, `cuda:N` or `mps`; plain `cuda` if no CUDA device can be used. */
  device: string;
  /** Whether it can be used. */
  available: boolean;
  /** The name of the processor or GPU; absent if the device cannot be used. */
  name?: string | undefined;
  /** The GPU's memory, in bytes; of Apple's GPU, what Metal recommends to use at most. */
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
  /** The highest `allocated` so far; on MPS, of those that `memory` returned. */
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

/** Why Apple's GPU cannot be used; undefined if it can. */
function whyNoMps(): string | undefined {
  const here = `${process.platform}-${process.arch}`;
  if (here !== 'darwin-arm64') {
    return `MPS is the GPU of Apple silicon, and this system is ${here}. Use another device: --device auto`;
  }
  if (addon().mpsDevice().usable) return undefined;
  return 'macOS has no Metal device for this process, as in some virtual machines. Use the CPU: --device cpu';
}

function mpsInfo(cpuName: string): DeviceInfo {
  const reason = guarded(whyNoMps);
  if (reason !== undefined) return { device: 'mps', available: false, reason };
  // The GPU is part of the chip, whose name is that of the CPU.
  const { totalMemory } = addon().mpsDevice();
  return { device: 'mps', available: true, name: cpuName, totalMemory };
}

/**
 * This machine's devices: the CPU first, then each CUDA device, or the reason why there is none; on macOS, Apple's
 * GPU instead.
 */
export function devices(): DeviceInfo[] {
  const name = cpus()[0]?.model.trim() || process.arch;
  const cpu = { device: 'cpu', available: true, name };
  if (process.platform === 'darwin') return [cpu, mpsInfo(name)];
  const reason = openCuda();
  if (reason !== undefined) return [cpu, { device: 'cuda', available: false, reason }];
  const gpus = guarded(() => addon().cudaDevices());
  return [cpu, ...gpus.map((gpu, index) => ({ device: `cuda:${index}`, available: true, ...gpu }))];
}

/**
 * Resolves a device name and opens the device. `auto` is the first CUDA device if there is one, else
 * the CPU, also on Apple silicon; no other name falls back to another device.
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
  const reason = requested === 'mps' ? guarded(whyNoMps) : openCuda();
  if (reason !== undefined) throw unavailable(reason);
  if (requested === 'mps') return requested;
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

/** Tensor memory on a device: `cpu` (default), `cuda`, `cuda:N` or `mps`. */
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

/** Whether an open device computes in bfloat16: Apple's GPU does from macOS 14. */
export function hasBfloat16(device: string): boolean {
  return device !== 'mps' || guarded(() => addon().mpsDevice().bfloat16);
}
