import cliProgress from 'cli-progress';
import { type Command, Option } from 'commander';
import { findModel } from '../hub/store/resolve.js';
import { type ConvertProgress, convertModel } from '../layouts/converted/convert.js';
import { type Inspection, inspectModel } from '../layouts/inspect.js';
import type { WeightDtype } from '../networks/weights.js';
import { interruptible } from './terminal/interruptible.js';

/** `karlo convert FROM TO`: published weights to graphs and safetensors, ready to load. */
export function addConvert(program: Command): void {
  program
    .command('convert')
    .description('convert a published model folder into one that loads at once')
    .argument('<from>', 'a pulled model, or a folder in the Hugging Face or the Kakao layout')
    .argument('<to>', 'a folder that is not there yet')
    .addOption(
      new Option('--dtype <dtype>', "the weights' dtype")
        .choices(['float32', 'float16', 'bfloat16'])
        .default('float32'),
    )
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `
Examples:
  karlo convert karlo-tiny ./karlo-tiny-converted
  karlo convert kakaobrain/karlo-v1-alpha ./karlo-bfloat16 --dtype bfloat16

A converted folder holds graphs, which are programs: trust it like one.`,
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

/** What the folder cannot do, a line each. */
function notes({ textToImage, imageVariation }: Inspection['missing']): string[] {
  const tasks = [
    ['text to image', textToImage],
    ['image variation', imageVariation],
  ] as const;
  return tasks
    .filter(([, lacking]) => lacking.length > 0)
    .map(([task, lacking]) => `Not for ${task}: it lacks ${lacking.join(', ')}`);
}

function showProgress() {
  const bar = new cliProgress.SingleBar({
    format: '{component} [{bar}] {megabytes} MB  {tensor}',
    stream: process.stderr,
    hideCursor: true,
  });
  let component: string | undefined;
  return {
    update({ component: current, tensor, done, total }: ConvertProgress) {
      if (!process.stderr.isTTY) return;
      const payload = { component: current, tensor, megabytes: Math.round(done / 1e6) };
      if (component === current) {
        bar.update(done, payload);
        return;
      }
      component = current;
      bar.stop();
      bar.start(total, done, payload);
    },
    stop: () => bar.stop(),
  };
}
