import { availableParallelism, freemem, totalmem } from 'node:os';
import type { Command } from 'commander';
import { devices } from '../torch/device.js';
import { version as torchVersion } from '../torch/load.js';
import { describeFolder } from './info-model.js';
import { rows } from './rows.js';

/** `karlo info [FOLDER]`: what is installed, or what a model folder holds. */
export function addInfo(program: Command, version: string): void {
  program
    .command('info')
    .description('print what is installed, or what a model folder holds')
    .argument('[folder]', 'a model folder')
    .option('--json', 'print one JSON object')
    .action(async (folder: string | undefined, { json = false }: { json?: boolean }) => {
      console.log(
        folder === undefined ? installed(version, json) : await describeFolder(folder, json),
      );
    });
}

function installed(version: string, json: boolean): string {
  const facts = collect(version);
  return json ? JSON.stringify(facts, null, 2) : describe(facts);
}

function collect(version: string) {
  const { libtorch, build, folder, source, cpuCapability } = torchVersion();
  return {
    karlo: version,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    libtorch: { version: libtorch, build, folder, source },
    devices: devices(),
    threads: availableParallelism(),
    cpuCapability,
    memory: { total: totalmem(), free: freemem() },
  };
}

function describe(facts: ReturnType<typeof collect>): string {
  const { libtorch, memory } = facts;
  const pairs: [string, string][] = [
    ['karlo', facts.karlo],
    ['Node', `${facts.node} on ${facts.platform}`],
    ['LibTorch', `${libtorch.build} from ${libtorch.source}: ${libtorch.folder}`],
    ...facts.devices.map(({ device, available, name, totalMemory, reason }): [string, string] => [
      `device ${device}`,
      available ? [name, size(totalMemory)].filter(Boolean).join(', ') : `not available. ${reason}`,
    ]),
    ['CPU', `${facts.threads} threads, ${facts.cpuCapability}`],
    ['memory', `${size(memory.free)} free of ${size(memory.total)}`],
  ];
  return rows(pairs);
}

function size(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
