import type { Command } from 'commander';
import { interruptible } from '../../scripts/libtorch/interruptible.mjs';
import { showProgress } from '../../scripts/libtorch/progress.mjs';
import { type SetUpOptions, setUpLibTorch } from '../../scripts/libtorch/setup.mjs';

type Flags = Pick<SetUpOptions, 'sha256' | 'cuda' | 'offline'> & {
  archive?: string[];
  json?: boolean;
};

/** `karlo setup`: LibTorch. */
export function addSetup(program: Command): void {
  program
    .command('setup')
    .description('find LibTorch, or fetch it into the cache folder')
    .option('--archive <file...>', "LibTorch's zip or torch's wheels, instead of fetching")
    .option('--sha256 <hex>', 'what the archive must have')
    .option('--cuda', 'with the CUDA libraries (2 GB and more)')
    .option('--offline', 'fetch nothing')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  karlo setup
  karlo setup --cuda
  karlo setup --archive libtorch-shared-with-deps-2.11.0+cpu.zip`,
    )
    .action(setUp);
}

async function setUp({ archive, json, ...options }: Flags): Promise<void> {
  const progress = showProgress();
  const libtorch = await interruptible((signal) =>
    setUpLibTorch({ ...options, archives: archive ?? [], onProgress: progress.update, signal }),
  ).finally(progress.stop);
  console.log(
    json
      ? JSON.stringify(libtorch, null, 2)
      : `LibTorch ${libtorch.build} from ${libtorch.source}: ${libtorch.folder}`,
  );
}
