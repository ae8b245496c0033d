import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Shard } from '../../eval/captions.js';
import { evaluatePlan } from '../../eval/evaluate.js';
import { generateMissing } from '../../eval/generate.js';
import type { EvaluationQueue } from '../../eval/image-source.js';
import { type Plan, partOf, planOf } from '../../eval/plan.js';
import { presets } from '../../eval/presets.js';
import { formatReport } from '../../eval/report.js';
import { type EvaluationSetting, resolveSetting } from '../../eval/settings.js';
import { checkOptions } from '../../options/check-options.js';
import {
  evaluationOptions,
  generationOptions,
  loadOptions,
  type OptionTable,
  type Sampling,
  textToImageOptions,
} from '../../options/descriptions.js';
import { flagLabel } from '../../options/flags.js';
import type { EvaluationOptions } from '../../options/types.generated.js';
import type { RawOptions } from '../../options/validate.js';
import { queueName, toNumbers } from '../flag-values.js';
import { addOptions, checked, loadOptionsOf, optionsOf, queueOption } from '../flags.js';
import { showEvaluation } from '../terminal/evaluation-progress.js';
import { interruptible } from '../terminal/interruptible.js';
import { printJson, printText, reportLine } from '../terminal/output.js';

const { sampling, decoder, upsample, negativePrompt, candidates } = generationOptions;
/** The options of a row. The flags of those in {@link lists} take several values. */
const settingOptions = {
  ...{ sampling, negativePrompt, candidates },
  ...{ prior: textToImageOptions.prior, decoder, upsample },
} as const satisfies OptionTable;

/** Flags whose values, separated by commas, are rows of the report. */
const lists: Readonly<Record<string, (text: string) => readonly unknown[]>> = {
  '--sampling': (text) => text.split(','),
  '--prior-guidance': toNumbers,
  '--decoder-guidance': toNumbers,
};

interface Flags {
  readonly output: string;
  readonly shard?: Shard;
  readonly queue?: string;
  readonly queueName: string;
  readonly results?: string;
  readonly json?: boolean;
}

/** `karlo eval CAPTIONS`: generates an image of each caption, and measures them. */
export function addEval(program: Command): void {
  const command = program
    .command('eval')
    .description('measure a model: images of captions, CLIP-score, FID and KID')
    .argument(
      '<captions>',
      "file with one caption per line, a table (.tsv), COCO's captions (.json), or - for lines on stdin",
    );
  const { batchSize, ...others } = evaluationOptions;
  addOptions(addOptions(command, others), settingOptions);
  for (const option of command.options) {
    const list = lists[option.long ?? ''];
    if (list === undefined) continue;
    option.argParser(list).description += '; several, separated by commas, are rows of the report';
  }
  command
    .optionsGroup('Output options:')
    .option(
      '-o, --output <folder>',
      'folder of the images and the report; run the command again to continue',
      'evaluation',
    )
    .option('--json', 'print the report as one JSON object')
    .optionsGroup('Several machines:')
    .addOption(
      queueOption(
        'Redis queue whose workers generate the images (default: none, this process does)',
      ),
    )
    .option('--queue-name <name>', 'name of the queue in Redis', queueName, 'karlo')
    .option(
      '--results <place>',
      'where the workers store images: a shared folder or s3://BUCKET/PREFIX (default: in Redis)',
    )
    .addOption(
      new Option(
        '--shard <i/n>',
        'generate only this part of the images, such as 2/4, in a shared output folder (default: all, and score them)',
      ).argParser(toShard),
    )
    .optionsGroup('Model options:');
  addOptions(command, { ...loadOptions, batchSize })
    .addHelpText(
      'after',
      `
Examples:
  karlo eval captions.txt --output out/
  karlo eval captions.txt --reference photos/ --sampling fast,default --output both/
  karlo eval captions_val2014.json --preset karlo-coco --model kakaobrain/karlo-v1-alpha \\
    --clip clip-vit-base-patch16/ --reference val2014/ --inception inception-2015-12-05.pt
  karlo eval captions.txt --queue redis://localhost`,
    )
    .action((captions: string, flags: Flags) => run(command, captions, flags));
}

async function run(command: Command, captions: string, flags: Flags): Promise<void> {
  const given = optionsOf(evaluationOptions, flags) as EvaluationOptions;
  const settings = checked(command, () => {
    checkOptions(evaluationOptions, given as RawOptions, { path: '', label: flagLabel });
    const rows = settingsOf(optionsOf(settingOptions, flags), given.preset);
    for (const setting of rows) resolveSetting(setting, flagLabel);
    return rows;
  });
  const load = await loadOptionsOf(command, flags, undefined);
  const { output, shard } = flags;
  const progress = showEvaluation();
  await interruptible(async (signal) => {
    const onProgress = progress.update;
    const options = { ...load, ...given, captions, output, settings, signal, onProgress };
    const plan = await planOf({ ...options, queue: queueOf(flags) }, flagLabel);
    try {
      if (shard) await generatePart(plan, shard, flags);
      else await runWhole(plan, flags);
    } catch (error) {
      progress.stop();
      if (signal.aborted) reportLine(await interruptionOf(plan));
      throw error;
    }
  }).finally(progress.stop);
}

type Stages = Pick<EvaluationSetting, 'prior' | 'decoder'>;

/** The rows of a report: those of the preset, changed by flags, of which some have several values. */
function settingsOf(
  { sampling, prior, decoder, ...others }: Record<string, unknown>,
  preset: EvaluationOptions['preset'],
): EvaluationSetting[] {
  const samplings = (sampling as Sampling[] | undefined)?.map((one) => ({ sampling: one }));
  const rows: readonly EvaluationSetting[] = samplings ??
    (preset && presets[preset].settings) ?? [{}];
  const stages = { prior: guidedBy(prior), decoder: guidedBy(decoder) };
  return rows.flatMap((row) =>
    stages.prior.flatMap((prior) =>
      stages.decoder.map((decoder) => ({
        ...{ ...row, ...others },
        prior: { ...row.prior, ...prior },
        decoder: { ...row.decoder, ...decoder },
      })),
    ),
  );
}

/** The options of a stage, for each of its guidance scales. */
function guidedBy(stage: unknown): NonNullable<Stages['decoder']>[] {
  const { guidanceScale, ...others } = (stage ?? {}) as { guidanceScale?: readonly number[] };
  return guidanceScale?.map((scale) => ({ ...others, guidanceScale: scale })) ?? [others];
}

function queueOf({ queue: url, queueName: name, results }: Flags): EvaluationQueue | undefined {
  return url === undefined ? undefined : { url, name, results };
}

async function runWhole(plan: Plan, { json }: Flags): Promise<void> {
  const report = await evaluatePlan(plan);
  if (json) return printJson(report, 2);
  printText(formatReport(report).trimEnd());
  reportLine(`Wrote ${join(plan.output, 'report.md')} and report.json`);
}

async function generatePart(plan: Plan, shard: Shard, { json, output }: Flags): Promise<void> {
  const { images, generated } = await generateMissing(partOf(plan, shard));
  const part = `${shard.index}/${shard.count}`;
  if (json) return printJson({ shard: part, images, generated });
  reportLine(
    `Generated ${generated} images of part ${part}, which has ${images}, in ${output}. When all parts are done, run the command without --shard`,
  );
}

/** How far an interrupted evaluation is, and how to continue it. */
async function interruptionOf({ rows, captions, output }: Plan): Promise<string> {
  const missing = await Promise.all(rows.map(({ folder }) => folder.missing(captions)));
  const total = rows.length * captions.length;
  const done = total - missing.flat().length;
  return `Interrupted: ${done} of ${total} images are in ${output}. To continue, run the same command again`;
}

function toShard(text: string): Shard {
  const [, index, count] = /^([1-9]\d{0,5})\/([1-9]\d{0,5})$/.exec(text) ?? [];
  if (index !== undefined && Number(index) <= Number(count)) {
    return { index: Number(index), count: Number(count) };
  }
  throw new InvalidArgumentError('Expected a part and the number of parts, such as 2/4.');
}
