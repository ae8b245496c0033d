import type { KarloDraft } from '../../images/draft.js';
import { readDraft } from '../../images/read-draft.js';
import type { Karlo } from '../../karlo.js';
import type { GenerationTask } from '../../pipeline/task.js';
import { defaults } from '../settings.js';
import type { JobCall, JobPoint } from './job.js';

type Files = readonly Uint8Array[];

/** The image files of a call and, if it finishes drafts, these. */
export interface CallInputs {
  readonly files: Files;
  readonly drafts: readonly KarloDraft[];
}

/** @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is not a draft */
export async function readInputs({ method }: JobCall, files: Files): Promise<CallInputs> {
  const isDraft = method === 'finish';
  return { files, drafts: isDraft ? await Promise.all(files.map((file) => readDraft(file))) : [] };
}

/**
 * Calls a method of the model.
 * @param options those of the call, and how it runs
 */
export function startCall(
  karlo: Karlo,
  call: JobCall,
  { files, drafts }: CallInputs,
  options: { readonly batchSize: number; readonly previews: boolean; readonly signal: AbortSignal },
): GenerationTask {
  const { pixels, side } = defaults.imageLimits;
  const withLimits = { ...options, limitInputPixels: pixels, limitInputSide: side };
  const [image, mask] = files as readonly [Uint8Array, Uint8Array];
  switch (call.method) {
    case 'textToImage':
      return karlo.textToImage(call.prompt, options);
    case 'imageVariation':
      return karlo.imageVariation(image, withLimits);
    case 'mix': {
      const parts = call.parts.map(({ weight, ...part }) => ({ ...pointOf(part, files), weight }));
      return karlo.mix(parts, withLimits);
    }
    case 'interpolate': {
      const [from, to] = [pointOf(call.from, files), pointOf(call.to, files)];
      return karlo.interpolate(from, to, withLimits);
    }
    case 'edit':
      return karlo.edit(image, withLimits as never);
    case 'imageToImage':
      return karlo.imageToImage(image, call.prompt, withLimits);
    case 'inpaint':
      return karlo.inpaint(image, mask, call.prompt, withLimits);
    case 'upscale':
      return karlo.upscale(image, withLimits);
    case 'finish': {
      const { batchSize, previews, signal } = options;
      return karlo.finish(drafts, { batchSize, previews, signal });
    }
  }
}

function pointOf(point: JobPoint, files: Files) {
  if ('prompt' in point) return point;
  return { image: files[point.image] as Uint8Array };
}
