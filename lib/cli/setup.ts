import type { Command } from 'commander';
import { buildInstalled } from '../../scripts/build/installed.mjs';
import { interruptible } from '../../scripts/libtorch/interruptible.mjs';
import { showProgress } from '../../scripts/libtorch/progress.mjs';
import { type SetUpOptions, setUpLibTorch } from '../../scripts/libtorch/setup.mjs';
import { packageFolder } from '../torch/load.js';

type Flags = Pick<SetUpOptions, 'sha256' | 'cuda' | 'offline'> & {
  archive?: string[];
  build?: boolean;
  json?: boolean;
};

/** `karlo setup`: LibTorch, and the addon where there is none for the platform. */
export function addSetup(program: Command): void {
  program
    .command('setup')
    .description('find LibTorch, or fetch it into the cache folder')
    .option('--archive <file...>', "LibTorch's zip or torch's wheels, instead of fetching")
    .option('--sha256 <hex>', 'what the archive must have')
    .option('--cuda', 'with the CUDA libraries (2 GB and more)')
    .option('--build', 'compile the addon as well (CMake and a C++17 compiler)')
    .option('--offline', 'fetch nothing')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  karlo setup
  karlo setup --cuda
  karlo setup --build
  karlo setup --archive libtorch-shared-with-deps-2.11.0+cpu.zip`,
    )
    .action(setUp);
}

async function setUp({ archive, build = false, json, ...options }: Flags): Promise<void> {
  const progress = showProgress();
  const wanted = { ...options, archives: archive ?? [], headers: build };
  const libtorch = await interruptible((signal) =>
    setUpLibTorch({ ...wanted, onProgress: progress.update, signal }),
  ).finally(progress.stop);
  if (build) await interruptible(() => buildInstalled(packageFolder(), libtorch));
  console.log(
    json
      ? JSON.stringify(libtorch, null, 2)
      : `LibTorch ${libtorch.build} from ${libtorch.source}: ${libtorch.folder}`,
  );
}
