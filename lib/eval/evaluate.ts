import { join } from 'node:path';
import { writeAtomically } from '../images/write-file.js';
import { loadOptions } from '../options/descriptions.js';
import { identityLabel } from '../options/validate.js';
import { generateMissing } from './generate.js';
import { ImageSource } from './image-source.js';
import type { ImageModel } from './manifest.js';
import { clipScore } from './metrics/clip-score.js';
import { frechetEstimate } from './metrics/frechet.js';
import { kernelDistance } from './metrics/kernel.js';
import type { ReferenceStatistics } from './metrics/statistics-file.js';
import { type EvaluateOptions, type Plan, planOf } from './plan.js';
import { referenceStatistics } from './reference.js';
import { type EvaluationReport, type EvaluationRow, formatReport, reportOf } from './report.js';
import { Scorer } from './scorer.js';

/**
 * Generates an image of each caption, and measures how well the images fit to the captions (CLIP-score) and, with a
 * reference, how close they are to real images (FID and KID). Images that the output folder has already are not
 * generated again. Also writes the report to `report.md` and `report.json` in that folder.
 * @throws {KarloError} as `generateImages`, and ERR_KARLO_MODEL_NOT_FOUND and ERR_KARLO_MODEL_CORRUPT for the networks
 *   of the metrics
 */
export async function evaluate(options: EvaluateOptions): Promise<EvaluationReport> {
  return evaluatePlan(await planOf(options, identityLabel));
}

/** Runs an evaluation whose options are checked. */
export async function evaluatePlan(plan: Plan): Promise<EvaluationReport> {
  const clip = await clipOf(plan);
  // Before images are generated, which can take days: with what is missing for the metrics, it would be in vain.
  const reference = await withScorer(plan, clip, (scorer) => prepareReference(plan, scorer));
  await generateMissing(plan);
  const report = await withScorer(plan, clip, (scorer) => score(plan, scorer, reference));
  await writeReport(plan.output, report);
  return report;
}

/** The CLIP of the score: by default that of the model, which a queue's workers name. */
async function clipOf({ clip, load, queue }: Plan): Promise<string> {
  const given = clip ?? load.model;
  if (queue === undefined) return given ?? loadOptions.model.default;
  await using source = await ImageSource.connect(queue);
  return given ?? source.modelName;
}

/** Loads the networks of the metrics, and frees them afterwards. */
async function withScorer<T>(
  { load, inception, signal }: Plan,
  clip: string,
  use: (scorer: Scorer) => Promise<T>,
): Promise<T> {
  const { device, threads } = load;
  await using scorer = await Scorer.load({ clip, inception }, { device, threads, signal });
  return await use(scorer);
}

async function prepareReference(
  { reference, signal, onProgress }: Plan,
  scorer: Scorer,
): Promise<ReferenceStatistics | undefined> {
  if (reference === undefined) return undefined;
  return await referenceStatistics(reference, scorer, {
    signal,
    onProgress: (done, total) => onProgress({ phase: 'reference', done, total }),
  });
}

async function score(
  plan: Plan,
  scorer: Scorer,
  reference: ReferenceStatistics | undefined,
): Promise<EvaluationReport> {
  const { captions, rows, signal, onProgress } = plan;
  const model = await modelOf(rows);
  const total = captions.length * rows.length;
  const scored: EvaluationRow[] = [];
  for (const [i, { setting, folder }] of rows.entries()) {
    const files = captions.map((caption) => ({
      file: folder.fileOf(caption),
      caption: caption.text,
    }));
    const progress = (done: number) =>
      onProgress({ phase: 'score', done: i * captions.length + done, total });
    const pass = { signal, onProgress: progress };
    const { cosines, features } = await scorer.score(files, reference !== undefined, pass);
    const { steps, guidance } = setting;
    scored.push({
      ...{ steps, guidance, folder: folder.path },
      clipScore: clipScore(cosines),
      ...(reference && { frechet: await frechetEstimate(features, reference) }),
      ...(reference?.features && { kernel: await kernelDistance(features, reference.features) }),
    });
    signal.throwIfAborted();
  }
  return reportOf(scored, { plan, scorer, model });
}

/**
 * What has generated all images.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT if it is not the same for all settings
 */
async function modelOf([first, ...others]: Plan['rows']): Promise<ImageModel> {
  const model = await first.folder.model();
  for (const { folder } of others) await folder.requireSame(model);
  return model;
}

async function writeReport(folder: string, report: EvaluationReport): Promise<void> {
  const write = (name: string, text: string) =>
    writeAtomically(join(folder, name), Buffer.from(text), true);
  await write('report.json', `${JSON.stringify(report, null, 2)}\n`);
  await write('report.md', formatReport(report));
}
