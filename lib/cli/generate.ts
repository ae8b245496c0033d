import type { Command } from 'commander';
import { addSampling, type Flags, make, samplingOf, stage, toNumber } from './make.js';

/** `karlo "<prompt>"`: pictures of a prompt. */
export function addGenerate(program: Command): void {
  const command = program
    .command('generate', { isDefault: true })
    .description('make pictures of a prompt')
    .argument('<prompt>')
    .option('--prior-steps <number>', 'steps of the prior', toNumber)
    .option('--prior-guidance <scale>', 'guidance scale of the prior', toNumber);
  addSampling(command)
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart on a white background"
  karlo "a blue star" -n 4 --seed 0 --sampling default --output out/
  karlo "a green ring on a black background" -o ring.webp`,
    )
    .action((prompt: string, flags: Flags) => {
      const { sampling, ...rest } = samplingOf(flags);
      const prior = stage(flags.priorSteps, flags.priorGuidance);
      const options = { ...rest, ...sampling, prior };
      return make(prompt, flags, (karlo, signal) =>
        karlo.textToImage(prompt, { ...options, signal }),
      );
    });
}
