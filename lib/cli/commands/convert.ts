import { type Command, Option } from 'commander';
import { findModel } from '../../hub/store/resolve.js';
import { type ConvertProgress, convertModel } from '../../layouts/converted/convert.js';
import { type Inspection, inspectModel } from '../../layouts/index.js';
import { type WeightDtype, weightDtypes } from '../../options/descriptions.js';
import { interruptible } from '../terminal/interruptible.js';
import { printJson, printLine } from '../terminal/output.js';
import { showPhases } from '../terminal/phase-progress.js';

/** `karlo convert FROM TO`: converts weights to a dtype, in safetensors. */
export function addConvert(program: Command): void {
  program
    .command('convert')
    .description('convert a model to a folder with weights of one dtype, which loads quickly')
    .argument('<from>', 'pulled model, or model folder')
    .argument('<to>', 'folder to create')
    .addOption(
      new Option('--dtype <name>', 'dtype of the converted weights')
        .choices(weightDtypes)
        .default('float32'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  karlo convert karlo-tiny ./karlo-tiny-converted
  karlo convert kakaobrain/karlo-v1-alpha ./karlo-bfloat16 --dtype bfloat16`,
    )
    .action(convert);
}

async function convert(from: string, to: string, flags: { dtype: WeightDtype; json?: boolean }) {
  const { folder } = await findModel(from);
  const progress = showProgress();
  const manifest = await interruptible((signal) =>
    convertModel(folder, to, { dtype: flags.dtype, onProgress: progress.update, signal }),
  ).finally(progress.stop);
  const { missing } = await inspectModel(to);
  if (flags.json) return printJson({ folder: to, manifest, missing });
  for (const line of [`Converted to ${to}`, ...notes(missing)]) printLine(line);
}

/** A line for each task that the folder cannot do. */
function notes({ textToImage, imageVariation }: Inspection['missing']): string[] {
  const tasks = [
    ['text to image', textToImage],
    ['image variation', imageVariation],
  ] as const;
  return tasks
    .filter(([, absent]) => absent.length > 0)
    .map(([task, absent]) => `Not usable for ${task}. Missing: ${absent.join(', ')}`);
}

function showProgress() {
  const bar = showPhases({ format: '{component} [{bar}] {megabytes} MB  {tensor}' });
  return {
    update({ component, tensor, done, total }: ConvertProgress) {
      const payload = { component, tensor, megabytes: Math.round(done / 1e6) };
      bar.update(component, { done, total, payload });
    },
    stop: bar.stop,
  };
}
