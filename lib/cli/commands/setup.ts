import type { Command } from 'commander';
import { buildInstalledAddon } from '../../libtorch/build-addon.js';
import type { LibTorch } from '../../libtorch/folder.js';
import { describeBuild } from '../../libtorch/folder.js';
import type { SetupOptions } from '../../libtorch/setup.js';
import { packageFolder } from '../../util/package.js';
import { withBuildProgress } from '../build.js';
import { setUpWithProgress } from '../setup.js';
import { interruptible } from '../terminal/interruptible.js';
import { printJson, printLine } from '../terminal/output.js';

type Flags = Pick<SetupOptions, 'sha256' | 'cuda' | 'offline'> & {
  archive?: string[];
  build?: boolean;
  json?: boolean;
};

/** `karlo setup`: installs LibTorch and, with `--build`, the addon. */
export function addSetup(program: Command): void {
  program
    .command('setup')
    .description('find LibTorch, or download it to the cache folder')
    .option(
      '--archive <file...>',
      "install LibTorch's zip or torch's wheels instead of downloading (default: none)",
    )
    .option('--sha256 <hex>', 'the expected SHA-256 of the first archive (default: any)')
    .option(
      '--cuda',
      'include the CUDA libraries, more than 2 GB (default: if there is an NVIDIA driver)',
    )
    .option('--build', 'compile the addon as well (needs CMake and a C++17 compiler)')
    .option('--offline', 'download nothing (default: if KARLO_OFFLINE is set)')
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

function buildAddon(libtorch: LibTorch): Promise<void> {
  return withBuildProgress((onProgress) =>
    buildInstalledAddon(packageFolder(), libtorch, onProgress),
  );
}

async function setUp({ archive = [], build = false, json, ...options }: Flags): Promise<void> {
  const libtorch = await setUpWithProgress({ ...options, archives: archive, headers: build });
  if (build) await interruptible(() => buildAddon(libtorch));
  if (json) return printJson(libtorch, 2);
  const version = describeBuild({ ...libtorch, cuda: libtorch.cudaLibraries !== undefined });
  printLine(`LibTorch ${version} from ${libtorch.source}: ${libtorch.folder}`);
}
