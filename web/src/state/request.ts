import type { Files, ImageRequest, RequestFields } from '../api/client';
import { toDataUrl } from './browser';
import type { TextOrImage } from './inputs';
import type { Run } from './runs';
import { hasPrior, makesDrafts, type Settings, type StageSettings } from './settings';

/** The API request of a run. */
export async function requestOf(run: Run): Promise<ImageRequest> {
  const { settings, inputs, finishing } = run;
  if (finishing) return finishRequest(run, finishing);
  const { kind, prompt, frames, easing, animation } = settings;
  const { source, mask, parts = [], ends } = inputs;
  const fields = commonFields(settings);
  if (kind === 'mix') {
    const toPart = async (part: (typeof parts)[number]) => ({
      ...(await textOrImage(part)),
      weight: part.weight,
    });
    return { path: 'mixes', fields: { ...fields, parts: await Promise.all(parts.map(toPart)) } };
  }
  if (kind === 'interpolate') {
    const [from, to] = await Promise.all((ends ?? []).map(textOrImage));
    const { n: _, ...others } = fields;
    return {
      path: 'interpolations',
      fields: { ...others, from, to, frames, easing, animation, fps: framesPerSecond },
    };
  }
  if (kind === 'create') return { path: 'generations', fields: { ...fields, prompt } };
  const files: Files = { image: source, ...(kind === 'edit' && { mask }) };
  if (kind === 'vary') return { path: 'variations', fields, files };
  return { path: 'edits', fields: { ...fields, ...editFields(settings) }, files };
}

/** Drafts contain their settings. */
async function finishRequest({ images }: Run, finishing: readonly number[]): Promise<ImageRequest> {
  const drafts = finishing.flatMap((index) => images[index]?.blob ?? []);
  const draft = await Promise.all(drafts.map(toDataUrl));
  return { path: 'finishes', fields: { draft, ...streamFields } };
}

/** Of the animation of an interpolation. */
export const framesPerSecond = 12;

async function textOrImage({ text, image }: TextOrImage): Promise<RequestFields> {
  return image ? { image: await toDataUrl(image) } : { prompt: text };
}

function editFields({ editMode, prompt, from, to, strength }: Settings): RequestFields {
  return editMode === 'text' ? { from, to, strength } : { prompt };
}

function commonFields(settings: Settings) {
  const { count, seed, candidates, sampling, prior, decoder, upsample } = settings;
  return {
    n: count,
    seed,
    ...(makesDrafts(settings) ? { stop_after: 'decoder' } : candidates > 1 && { candidates }),
    sampling,
    ...(hasPrior(settings) && { prior: stageFields(prior) }),
    decoder: stageFields(decoder),
    upsample: stageFields(upsample),
    ...streamFields,
  };
}

const streamFields = { stream: true, partial_images: 3, progress: true };

function stageFields({ steps, guidance, sampler }: StageSettings) {
  return {
    ...(steps !== undefined && { steps }),
    ...(guidance !== undefined && { guidance_scale: guidance }),
    ...(sampler !== undefined && { sampler }),
  };
}
