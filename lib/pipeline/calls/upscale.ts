import type { ImageInput } from '../../images/decode.js';
import { toPlanes } from '../../images/pixels.js';
import type { PreparedImage } from '../../images/prepare.js';
import { requireWatermarkSize } from '../../images/watermark/embed.js';
import { upscaleOptions } from '../../options/descriptions.js';
import type { ResolvedUpscale } from '../../options/resolve-methods.js';
import { chunks } from '../../util/chunks.js';
import { type DraftedImage, finishBatch } from '../finish.js';
import { imageJobs } from '../generate.js';
import { CallProgress } from '../progress.js';
import type { CallSession } from '../session.js';
import type { CallResult, GenerationCall } from './call.js';
import { readImages } from './inputs.js';
import { commonRecipe } from './recipes.js';

/** Enlarges images by super-resolution alone. */
export function upscaleCall(
  input: ImageInput | readonly ImageInput[],
  settings: ResolvedUpscale,
): GenerationCall {
  const { batchSize, count } = settings;
  const inputs = Array.isArray(input) ? input.length : 1;
  return {
    signal: settings.signal,
    safety: settings,
    memory: [{ settings: { batchSize, count }, inputs }],
    check: (cascade) => requireWatermarkSize(settings.watermark, cascade.imageSize),
    run: (session) => upscaleAll(session, input, settings),
  };
}

async function upscaleAll(
  session: CallSession,
  input: ImageInput | readonly ImageInput[],
  settings: ResolvedUpscale,
): Promise<CallResult> {
  const { estimator, cascade } = session;
  const { upsample, batchSize, previews, seeds, fit } = settings;
  const resized = [{ edge: cascade.draftSize, fit }];
  const inputs = await session.encode((encoding) =>
    readImages(encoding, input, settings, { resized }),
  );
  const jobs = imageJobs(inputs.length, seeds);
  const batches = { prior: 0, decoder: 0, upsample: Math.ceil(jobs.length / batchSize) };
  const progress = new CallProgress([estimator.expect({ upsample }, batchSize, batches)]);
  const finishing = { stages: { upsample }, batchSize, previews, progress };
  const images = [];
  for (const batch of chunks(jobs, batchSize)) {
    const drafted = batch.map(({ source, seed, index }): DraftedImage => {
      const image = inputs[source] as PreparedImage;
      return {
        ...draftOf(image, cascade.draftSize),
        ...{ seed, index, candidate: 0, drawn: [] },
        recipe: async () => ({
          ...{ kind: 'upscale', source: { sha256: image.hash, fit } },
          ...commonRecipe(upscaleOptions, seed, settings, await session.provenance),
        }),
      };
    });
    images.push(...(await finishBatch(session, drafted, finishing)));
  }
  const warnings = inputs.flatMap(({ warning }) => warning ?? []);
  return { images, drafts: [], seeds: jobs.map(({ seed }) => seed), selections: [], warnings };
}

/** An image at the decoder's size, as the decoder would have made it. */
function draftOf({ resized: [square] }: PreparedImage, edge: number) {
  const data = Uint8Array.from(square as Uint8Array);
  return { width: edge, height: edge, data, values: toPlanes(data) };
}
