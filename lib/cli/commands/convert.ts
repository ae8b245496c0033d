import { type Command, Option } from 'commander';
import { findModel } from '../../hub/store/resolve.js';
import { type ConvertProgress, convertModel } from '../../layouts/converted/convert.js';
import { type Inspection, inspectModel } from '../../layouts/index.js';
import { type WeightDtype, weightDtypes } from '../../options/descriptions.js';
import { interruptible } from '../terminal/interruptible.js';
import { showPhases } from '../terminal/phase-progress.js';

/** `karlo convert FROM TO`: converts published weights to graphs and safetensors. */
export function addConvert(program: Command): void {
  program
    .command('convert')
    .description('convert a model to a folder of graphs and safetensors that loads quickly')
    .argument('<from>', 'pulled model, or folder of a published model')
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
  karlo convert kakaobrain/karlo-v1-alpha ./karlo-bfloat16 --dtype bfloat16

A converted folder contains graphs, which are programs: load only folders that you trust.`,
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
  if (flags.json) console.log(JSON.stringify({ folder: to, manifest, missing }));
  else console.log([`Converted to ${to}`, ...notes(missing)].join('\n'));
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
