import type { CudaGraphs } from '../torch/cuda-graphs.js';
import { cudaGraphs, type DeviceInfo } from '../torch/device.js';

export { cudaGraphs };

/** The row about CUDA graphs in `karlo info`; none without a GPU, whose reason is shown already. */
export function describeGraphs(
  { available, reason }: CudaGraphs,
  devices: readonly DeviceInfo[],
): [string, string][] {
  if (!devices.some(({ device, available }) => available && device !== 'cpu')) return [];
  return [['CUDA graphs', available ? 'on' : `off. ${reason}`]];
}
