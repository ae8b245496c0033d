import type { Command } from 'commander';
import type { ImageVariationOptions } from '../options.js';
import { addSampling, type Flags, make, samplingOf, toOption } from './make.js';

/** `karlo vary IMAGE`: variations of a picture. */
export function addVary(program: Command): void {
  const command = program
    .command('vary')
    .description('make variations of a picture')
    .argument('<image>', 'any picture that sharp reads')
    .addOption(toOption('--fit <way>', 'how it becomes a square', ['cover', 'fill']));
  addSampling(command)
    .addHelpText(
      'after',
      `
Examples:
  karlo vary photo.jpg
  karlo vary photo.jpg -n 4 --seed 0 --output out/`,
    )
    .action((image: string, flags: Flags & { fit?: 'cover' | 'fill' }) => {
      const { sampling, ...rest } = samplingOf(flags);
      const options: ImageVariationOptions = { ...rest, ...sampling };
      const fit = flags.fit ? { fit: flags.fit } : {};
      return make(`${baseName(image)}-variation`, flags, (karlo, signal) =>
        karlo.imageVariation(image, { ...options, ...fit, signal }),
      );
    });
}

function baseName(path: string): string {
  return (path.split(/[\\/]/).at(-1) ?? path).replace(/\.\w+$/, '');
}
