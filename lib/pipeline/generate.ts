import { KarloDraft } from '../images/draft.js';
import type { Pixels } from '../images/pixels.js';
import type { Recipe, Selection } from '../images/recipe.js';
import { candidateSeeds } from '../options/seeds.js';
import type { Tensor } from '../torch/tensor.js';
import { chunks } from '../util/chunks.js';
import type { Half } from './batching.js';
import { best, cosineScore, rowOf, selectionOf } from './candidates.js';
import type { CallSettings, DraftJob, ScoredDraft } from './cascade.js';
import { type Condition, type ConditionList, partsOf } from './condition.js';
import { type DraftedImage, finishBatch } from './finish.js';
import type { CallProgress } from './progress.js';
import type { BatchSettings, CallSession, Place } from './session.js';
import type { PromptFeatures } from './stages/text-encoder.js';
import type { Generation } from './task.js';

/** An image to generate. */
export interface ImageJob {
  /** The seed of its first candidate. */
  readonly seed: number;
  /** Index of its prompt or source image in the call. */
  readonly source: number;
  /** Index of the image in the result. */
  readonly index: number;
}

/** The images of a call: every prompt or source image with every seed. */
export function imageJobs(sources: number, seeds: readonly number[]): ImageJob[] {
  return Array.from({ length: sources * seeds.length }, (_, index) => ({
    seed: seeds[index % seeds.length] as number,
    source: Math.floor(index / seeds.length),
    index,
  }));
}

/** A call whose inputs are encoded. */
export interface EncodedCall {
  readonly conditions: ConditionList;
  readonly settings: CallSettings;
  readonly progress: CallProgress;
  recipe(source: number, seed: number): Promise<Recipe>;
  /** Changes the pixels of a finished image. */
  readonly complete?: ((source: number, pixels: Pixels) => Pixels) | undefined;
  /** Whether the result holds the images. Otherwise they are only reported. */
  readonly keepsImages?: boolean | undefined;
}

/** An image to generate, in its batch. */
interface ConditionedImage extends ImageJob {
  readonly condition: Condition;
}

/** Images or drafts, and how each was chosen. */
export type Generated = Pick<Generation, 'images' | 'drafts' | 'seeds' | 'selections'>;

/**
 * Generates a call's images, one batch after the other: candidates, of which the best become drafts, and
 * from these the images.
 */
export async function generate(session: CallSession, call: EncodedCall): Promise<Generated> {
  const { settings, conditions, progress, keepsImages = true } = call;
  const { prior, decoder, upsample, batchSize, previews } = settings;
  const common = { batchSize, previews, progress };
  const drafting = { ...common, stages: { ...(prior && { prior }), decoder } };
  const finishing = { ...common, stages: { upsample } };
  const generated: Generated = { images: [], drafts: [], seeds: [], selections: [] };
  for (const batch of chunks(imageJobs(conditions.length, settings.seeds), batchSize)) {
    const images = batch.map((job) => ({ ...job, condition: conditions.at(job.source) }));
    const chosen = await chooseDrafts(session, images, call, drafting).finally(() => {
      for (const { condition } of images) conditions.release(condition);
    });
    if (settings.stopAfter === 'decoder') {
      const drafts = await emitDrafts(session, chosen);
      if (keepsImages) generated.drafts.push(...drafts);
    } else {
      const finished = await finishBatch(session, chosen, finishing);
      if (keepsImages) generated.images.push(...finished);
    }
    generated.seeds.push(...chosen.map(({ seed }) => seed));
    generated.selections.push(...chosen.flatMap(({ selection }) => selection ?? []));
  }
  return generated;
}

const draftHalf: Half<DraftJob & Place, ScoredDraft> = (cascade, jobs, run) =>
  cascade.draft(jobs, run);

interface ChosenDraft extends DraftedImage {
  readonly selection: Selection | undefined;
}

/** Generates the candidates of some images, and chooses a draft for each image. */
async function chooseDrafts(
  session: CallSession,
  images: readonly ConditionedImage[],
  { settings, recipe, complete }: EncodedCall,
  settingsOfBatch: BatchSettings,
): Promise<ChosenDraft[]> {
  const drafting = { ...settingsOfBatch, parts: partsOf(images[0]?.condition as Condition) };
  const jobs = images.flatMap((image) => candidatesOf(image, settings));
  const drafts: ScoredDraft[] = [];
  for (const batch of chunks(jobs, drafting.batchSize)) {
    drafts.push(...(await session.submit(draftHalf, batch, drafting)));
  }
  const candidates = chunks(drafts, settings.candidates);
  const scores = await scoresOf(session, images, candidates, drafting.batchSize);
  return images.map(({ index, seed, source }, i) => {
    const ofImage = scores[i] as number[];
    const candidate = best(ofImage);
    const draft = candidates[i]?.[candidate] as ScoredDraft;
    const selection = selectionOf(seed, ofImage, draft.priorScores);
    return {
      ...{ ...draft, index, candidate, selection },
      recipe: async () => ({
        ...(await recipe(source, draft.seed)),
        ...(selection && { selection }),
      }),
      ...(complete && { complete: (pixels: Pixels) => complete(source, pixels) }),
    };
  });
}

/** The drafts to choose from: each has as many seeds as the prior samples embeddings for it. */
function candidatesOf(
  { condition, seed, index }: ConditionedImage,
  { candidates, prior }: CallSettings,
): (DraftJob & Place)[] {
  const ofPrior = prior?.candidates ?? 1;
  const seeds = chunks(candidateSeeds(seed, candidates * ofPrior), ofPrior);
  return seeds.map((own, candidate) => ({
    ...{ condition, index, candidate },
    seed: own[0] as number,
    seeds: own,
  }));
}

/**
 * The scores of each image's candidates: cosines of CLIP embeddings. A single candidate needs none.
 * @param batchSize how many drafts are encoded at once
 */
async function scoresOf(
  session: CallSession,
  images: readonly ConditionedImage[],
  candidates: readonly (readonly ScoredDraft[])[],
  batchSize: number,
): Promise<number[][]> {
  if (candidates.every(({ length }) => length === 1)) return candidates.map(() => [0]);
  const rows = await session.encode(async ({ cascade, signal }) => {
    const all: Float32Array[] = [];
    for (const drafts of chunks(candidates.flat(), batchSize)) {
      const embeds = await cascade.encodeDrafts(drafts, signal);
      all.push(...embeds.map(rowOf));
      for (const one of embeds) one.dispose();
    }
    return all;
  });
  return chunks(rows, rows.length / images.length).map((own, i) => {
    const target = rowOf(embeddingOf((images[i] as ConditionedImage).condition));
    return own.map((row) => cosineScore(row, target));
  });
}

/** The CLIP embedding that a condition comes from, `[1, E]`. */
function embeddingOf({ imageEmbeds, text }: Condition): Tensor {
  return imageEmbeds ?? (text as PromptFeatures).embeds;
}

/** Ends a call with its drafts. */
async function emitDrafts(
  session: CallSession,
  chosen: readonly ChosenDraft[],
): Promise<KarloDraft[]> {
  const drafts = await Promise.all(
    chosen.map(async ({ recipe, ...data }) => new KarloDraft(data, await recipe())),
  );
  return session.show(drafts, chosen);
}
