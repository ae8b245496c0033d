import { deviceTypeOf } from '../options/device-name.js';
import { formatBytes } from '../util/format-bytes.js';
import { type MemoryLimit, memoryLimit } from '../util/memory-limit.js';

/** The memory that a model and its calls may use. */
export interface AvailableMemory {
  readonly bytes: number;
  /** The number and where it comes from, for messages: `24.0 GB, the machine's memory`. */
  readonly source: string;
  /** How to get more, as a sentence. */
  readonly fix: string;
}

/**
 * The memory that a model on this device may use; undefined for a CUDA device, which has separate memory. In a container,
 * it is what is left of the limit, because Linux kills a process that exceeds it. Otherwise it is the machine's memory,
 * because the system can move other programs out of it.
 */
export function availableOn(
  device: string,
  limit: MemoryLimit = memoryLimit(),
): AvailableMemory | undefined {
  if (deviceTypeOf(device) === 'cuda') return undefined;
  const { total, free, machine } = limit;
  if (total === machine) {
    const source = `${formatBytes(total)}, the machine's memory`;
    return { bytes: total, source, fix: 'Use a machine with more memory' };
  }
  const source = `${formatBytes(free)}, what is free of the container's limit of ${formatBytes(total)}`;
  const fix =
    'Raise the limit (docker run --memory, resources.limits.memory in Kubernetes, MemoryMax in systemd)';
  return { bytes: free, source, fix };
}
