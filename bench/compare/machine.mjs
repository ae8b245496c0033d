import { cpus, totalmem } from 'node:os';
import { devices, version } from './package.mjs';

/**
 * The machine of a measurement, without host or user names.
 * @param {string} device
 * @param {number} threads
 */
export function describeMachine(device, threads) {
  const processor = cpus();
  const { build, cpuCapability } = version();
  const card = devices().find((one) => one.device === (device === 'cuda' ? 'cuda:0' : device));
  return {
    device: device === 'cpu' ? 'cpu' : (card?.name ?? device),
    processor: `${processor[0]?.model.trim()}, ${processor.length} logical cores, ${cpuCapability}`,
    memoryGigabytes: Math.round(totalmem() / 1e9),
    platform: `${process.platform}-${process.arch}`,
    threads,
    node: process.versions.node,
    libtorch: build,
  };
}

/** @typedef {ReturnType<typeof describeMachine>} Machine */
