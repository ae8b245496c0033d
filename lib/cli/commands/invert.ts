import type { Command } from 'commander';
import type { Inversion } from '../../embeddings/inversion.js';
import { limitsOf } from '../../images/input-limits.js';
import { writeAtomically } from '../../images/write-file.js';
import { invertOptions, loadOptions } from '../../options/descriptions.js';
import { flagLabel } from '../../options/flags.js';
import { resolveInvert } from '../../options/resolve-methods.js';
import { addOptions, checked, loadOptionsOf, optionsOf, throwUsageError } from '../flags.js';
import { hashesOf } from '../input-images.js';
import { inversionFileOf, prepareFolders, requireNewFiles } from '../output-files.js';
import { withModel } from '../run-calls.js';
import { interruptible } from '../terminal/interruptible.js';
import { printJson, printLine } from '../terminal/output.js';

interface InvertFlags {
  readonly output: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** `karlo invert IMAGE`: writes the noise from which the decoder leads to an image. */
export function addInvert(program: Command): void {
  const command = program
    .command('invert')
    .description('find the noise of an image, from which karlo reconstruct generates it again')
    .argument('<image>', 'image, in any format that sharp reads');
  addOptions(command, invertOptions)
    .optionsGroup('Output options:')
    .option('-o, --output <path>', 'folder, or a file name that ends in .json', '.')
    .option('--force', 'overwrite an existing file')
    .option('--json', 'print one JSON object')
    .optionsGroup('Model options:');
  addOptions(command, loadOptions)
    .addHelpText(
      'after',
      `
Examples:
  karlo "a red heart" --output heart.png
  karlo invert heart.png
  karlo invert heart.png --steps 100 --output exact.json
  karlo reconstruct heart.inversion.json`,
    )
    .action((image: string, flags: InvertFlags) => invert(command, image, flags));
}

async function invert(command: Command, image: string, flags: InvertFlags): Promise<void> {
  const { force = false } = flags;
  const options = optionsOf(invertOptions, flags);
  const settings = checked(command, () => resolveInvert(options, { label: flagLabel }));
  const file = checked(command, () => inversionFileOf(image, flags.output));
  await hashesOf([image], limitsOf(settings));
  const load = await loadOptionsOf(command, flags, undefined);
  if (!force) requireNewFiles([file]);
  prepareFolders([file]);
  const inversion = await interruptible((signal) =>
    withModel(load, signal, (karlo) => karlo.invert(image, { ...options, signal })),
  ).catch((error) => throwUsageError(command, error));
  await writeAtomically(file, Buffer.from(`${JSON.stringify(inversion)}\n`), force);
  print(file, image, inversion, flags);
}

function print(file: string, image: string, inversion: Inversion, { json }: InvertFlags): void {
  const { steps, refinements, prompt, source, embedding } = inversion;
  const settings = { steps, refinements, prompt, source, model: embedding.model };
  if (json) printJson({ inversion: file, of: image, ...settings });
  else printLine(file);
}
