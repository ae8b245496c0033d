import { expected, invalidArgument } from '../../errors.js';
import { KarloDraft } from '../../images/draft.js';
import type { KarloImage } from '../../images/karlo-image.js';
import {
  type ResolveContext,
  type ResolvedFinish,
  resolveFinish,
} from '../../options/resolve-generation.js';
import { chunks } from '../../util/chunks.js';
import { grouped } from '../../util/grouped.js';
import { batchKey } from '../batching.js';
import type { Cascade } from '../cascade.js';
import type { ExpectedWork } from '../estimate.js';
import { type DraftedImage, finishBatch } from '../finish.js';
import { CallProgress } from '../progress.js';
import type { CallSession } from '../session.js';
import type { CallResult, GenerationCall } from './call.js';
import { differences } from './recipes.js';
import { requireWeights } from './require-weights.js';

/** A draft at its place in the call, and how it is finished. */
interface FinishJob {
  readonly draft: KarloDraft;
  readonly index: number;
  readonly settings: ResolvedFinish;
}

/**
 * Makes the images of drafts.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT
 */
export function finishCall(
  input: KarloDraft | readonly KarloDraft[],
  options: unknown,
  context: ResolveContext,
): GenerationCall {
  const drafts = draftList(input);
  const jobs = drafts.map((draft, index) => ({
    ...{ draft, index },
    settings: resolveFinish(options, draft.recipe, context),
  }));
  return {
    signal: jobs[0]?.settings.signal,
    safety: jobs[0]?.settings ?? {},
    memory: [...new Set(jobs.map(({ settings }) => settings.batchSize))].map((batchSize) => ({
      settings: { batchSize, count: 1 },
      inputs: jobs.length,
    })),
    check: (cascade) => checkSizes(drafts, cascade),
    run: (session) => finishAll(session, jobs),
  };
}

function draftList(input: unknown): KarloDraft[] {
  const list: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (list.length === 0) throw expected('draft or non-empty array of drafts', 'draft', input);
  return Array.from(list, (draft, i) => {
    if (draft instanceof KarloDraft) return draft;
    const fix = 'textToImage returns drafts with stopAfter, and readDraft reads them from files';
    throw expected('KarloDraft', Array.isArray(input) ? `draft[${i}]` : 'draft', draft, fix);
  });
}

function checkSizes(drafts: readonly KarloDraft[], { draftSize }: Cascade): void {
  for (const { width, height } of drafts) {
    if (width === draftSize && height === draftSize) continue;
    const message = `Expected a draft of ${draftSize} x ${draftSize} pixels, as the decoder of this model makes them, but received one of ${width} x ${height}`;
    throw invalidArgument(message);
  }
}

async function finishAll(session: CallSession, jobs: readonly FinishJob[]): Promise<CallResult> {
  const provenance = await session.provenance;
  for (const { draft } of jobs) requireWeights('a draft', 'draft', draft.recipe.model, provenance);
  // Drafts of different calls can have different settings.
  const groups = grouped(jobs, ({ settings }) => keyOf(settings));
  const work = groups.map((group) => expectedWork(session, group));
  const progress = new CallProgress(work);
  const images: KarloImage[] = [];
  for (const group of groups) {
    const { batchSize, previews, upsample } = settingsOf(group);
    const finishing = { stages: { upsample }, batchSize, previews, progress };
    for (const batch of chunks(group, batchSize)) {
      const drafted = batch.map(draftedImage);
      const finished = await finishBatch(session, drafted, finishing);
      for (const [i, { index }] of batch.entries()) images[index] = finished[i] as KarloImage;
    }
  }
  return {
    ...{ images, drafts: [] },
    seeds: jobs.map(({ draft }) => draft.seed),
    selections: jobs.flatMap(({ draft }) => draft.recipe.selection ?? []),
    warnings: [...new Set(jobs.flatMap(({ draft }) => differences(draft.recipe, provenance)))],
  };
}

/** The settings that the drafts of a group share. */
function settingsOf([job]: readonly FinishJob[]): ResolvedFinish {
  return (job as FinishJob).settings;
}

function keyOf({ upsample, batchSize }: ResolvedFinish): string {
  return batchKey({ upsample }, batchSize);
}

function expectedWork({ estimator }: CallSession, group: readonly FinishJob[]): ExpectedWork {
  const { upsample, batchSize } = settingsOf(group);
  const batches = Math.ceil(group.length / batchSize);
  return estimator.expect({ upsample }, batchSize, { prior: 0, decoder: 0, upsample: batches });
}

function draftedImage({ draft, index, settings }: FinishJob): DraftedImage {
  const { width, height, data, values, drawn, blend, seed } = draft;
  const { batchSize } = settings;
  // That the draft is safe says nothing about its image; that it is unsafe remains true.
  const { verdict, ...recipe } = draft.recipe;
  return {
    ...{ width, height, data, values, drawn, blend, seed, index, candidate: 0 },
    recipe: async () => ({ ...recipe, ...(verdict?.unsafe && { verdict }), batchSize }),
  };
}
