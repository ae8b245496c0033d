import { existsSync } from 'node:fs';
import { expected } from '../errors.js';
import { addon, besideAddon } from './load.js';

/** The process's use of CUDA graphs, which start all kernels of a step of a loop with one call of the driver. */
export interface CudaGraphs {
  /** Whether steps are recorded. */
  available: boolean;
  /** Why they are not. */
  reason?: string | undefined;
  /** The number of graphs in memory. */
  graphs: number;
  /** How often graphs have been replayed. */
  replays: number;
}

/**
 * Opens the library that records CUDA graphs, once there is a CUDA device.
 * @returns why steps are not recorded, or undefined if they are
 */
export function openCudaGraphs(): string | undefined {
  if (isOff(process.env.KARLO_CUDA_GRAPHS)) return 'KARLO_CUDA_GRAPHS is 0';
  const library = besideAddon('karlo_cuda');
  if (!existsSync(library))
    return `The addon was built without CUDA graphs: there is no ${library}`;
  try {
    addon().cudaGraphsOpen(library);
    return undefined;
  } catch (error) {
    return `Cannot load CUDA graphs: ${(error as Error).message}`;
  }
}

function isOff(value: string | undefined): boolean {
  if (value === undefined || value === '' || value === '1') return false;
  if (value === '0') return true;
  throw expected('0 or 1', 'KARLO_CUDA_GRAPHS', value);
}

/** @param closed why the library was not opened */
export function cudaGraphsStatistics(closed: string | undefined): CudaGraphs {
  const { available, reason: failure, graphs, replays } = addon().cudaGraphsStatistics();
  const reason = closed ?? failure;
  const isAvailable = available && closed === undefined;
  return { available: isAvailable, ...(reason && { reason }), graphs, replays };
}
