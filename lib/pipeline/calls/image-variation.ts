import { decodeImages, type ImageInput } from '../../images/decode.js';
import type { ResolvedImageVariation } from '../../options/resolve-generation.js';
import type { GenerationCall } from './call.js';
import { imageVariationRecipe } from './recipes.js';

/** Generates variations of images. */
export function imageVariationCall(
  input: ImageInput | readonly ImageInput[],
  settings: ResolvedImageVariation,
): GenerationCall {
  const { fit } = settings;
  return {
    task: 'imageVariation',
    settings,
    async encode(cascade, signal) {
      const images = await decodeImages(input);
      const hashes = images.map(({ hash }) => hash);
      const embeds = await cascade.encodeImages(images, fit, signal);
      return {
        conditions: embeds.map((imageEmbeds) => ({ imageEmbeds })),
        warnings: images.flatMap(({ warning }) => warning ?? []),
        recipe: ({ source, seed }, provenance) => {
          const image = { sha256: hashes[source] as string, fit };
          return imageVariationRecipe(image, seed, settings, provenance);
        },
      };
    },
  };
}
