import type { ImageInput } from '../../images/decode.js';
import { taskOptions } from '../../options/descriptions.js';
import type { ResolvedImageVariation } from '../../options/resolve-generation.js';
import { listOf } from '../condition.js';
import type { GenerationCall } from './call.js';
import { generationCall } from './generation.js';
import { encodePrepared, encodeShared, readImages } from './inputs.js';
import { commonRecipe } from './recipes.js';

/** Generates variations of images. */
export function imageVariationCall(
  input: ImageInput | readonly ImageInput[],
  settings: ResolvedImageVariation,
): GenerationCall {
  const { fit } = settings;
  return generationCall(settings, {
    count: Array.isArray(input) ? input.length : 1,
    encodesImages: true,
    async encode(encoding) {
      const square = { ...encoding.cascade.imageSquare(), fit };
      const images = await readImages(encoding, input, settings, { square });
      const embeds = await encodePrepared(encoding, images);
      const { text, negative, warnings } = await encodeShared(encoding, settings);
      return {
        conditions: listOf(embeds.map((imageEmbeds) => ({ imageEmbeds, text, negative }))),
        warnings: [...images.flatMap(({ warning }) => warning ?? []), ...warnings],
        recipe: (source, seed, provenance) => ({
          ...{ kind: 'imageVariation', source: { sha256: images[source]?.hash as string, fit } },
          ...commonRecipe(taskOptions.imageVariation, seed, settings, provenance),
        }),
      };
    },
  });
}
