import { existsSync, statSync } from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import type { Command } from 'commander';
import { findModel } from '../hub/store/resolve.js';
import { devices } from '../torch/device.js';
import { version as torchVersion } from '../torch/load.js';
import { namesPicture } from './files.js';
import { describeFolder } from './info-model.js';
import { describePicture } from './info-picture.js';
import { rows } from './rows.js';

/** `karlo info [PATH]`: what is installed, what a model folder holds, or how a picture was made. */
export function addInfo(program: Command, version: string): void {
  program
    .command('info')
    .description('print what is installed, what a model folder holds, or how a picture was made')
    .argument('[path]', 'a model (its name or folder), or a picture')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  karlo info
  karlo info karlo-tiny
  karlo "a red heart" --output heart.png
  karlo info heart.png`,
    )
    .action(async (path: string | undefined, { json = false }: { json?: boolean }) => {
      console.log(await about(path, version, json));
    });
}

async function about(path: string | undefined, version: string, json: boolean): Promise<string> {
  if (path === undefined) return installed(version, json);
  const isPicture = existsSync(path) ? statSync(path).isFile() : namesPicture(path);
  if (isPicture) return describePicture(path, json);
  return describeFolder((await findModel(path)).folder, json);
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
