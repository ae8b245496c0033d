import { availableParallelism, freemem, totalmem } from 'node:os';
import type { Command } from 'commander';
import { devices } from '../torch/device.js';
import { version as torchVersion } from '../torch/load.js';

/** `karlo info`: what is installed. */
export function addInfo(program: Command, version: string): void {
  program
    .command('info', { isDefault: true })
    .description('print what is installed: versions, devices, threads, memory')
    .argument('[prompt]', 'not used yet: this version has no networks')
    .option('--json', 'print one JSON object')
    .action((_prompt: string | undefined, { json }: { json?: boolean }) => {
      const facts = collect(version);
      console.log(json ? JSON.stringify(facts, null, 2) : describe(facts));
    });
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
  const rows: [string, string][] = [
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
  const width = Math.max(...rows.map(([label]) => label.length));
  return rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`).join('\n');
}

function size(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}
