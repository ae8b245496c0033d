import type { ImageInput } from '../../images/decode.js';
import { methodOptions } from '../../options/descriptions.js';
import type { ResolvedImageToImage } from '../../options/resolve-methods.js';
import { listOf } from '../condition.js';
import type { GenerationCall } from './call.js';
import { generationCall } from './generation.js';
import { encodeShared, encodeTexts, readImages, toImageTensor } from './inputs.js';
import { commonRecipe } from './recipes.js';

/** Generates images from images and a prompt: the decoder starts from the noised image (SDEdit, Meng et al. 2022). */
export function imageToImageCall(
  input: ImageInput | readonly ImageInput[],
  settings: ResolvedImageToImage,
): GenerationCall {
  const { fit, negativePrompt } = settings;
  const prompt = settings.prompts[0] as string;
  return generationCall(settings, {
    count: Array.isArray(input) ? input.length : 1,
    async encode(encoding) {
      const { cascade } = encoding;
      const edge = cascade.draftSize;
      const images = await readImages(encoding, input, settings, { resized: [{ edge, fit }] });
      const { features, warnings } = await encodeTexts(encoding, [prompt]);
      const { negative, warnings: further } = await encodeShared(encoding, { negativePrompt });
      const text = features[0];
      const conditions = images.map(({ resized: [square] }) => ({
        ...{ text, negative, image: toImageTensor(cascade, square as Uint8Array, edge) },
      }));
      return {
        conditions: listOf(conditions),
        warnings: [...images.flatMap(({ warning }) => warning ?? []), ...warnings, ...further],
        recipe: (source, seed, provenance) => ({
          ...{ kind: 'imageToImage', prompt },
          source: { sha256: images[source]?.hash as string, fit },
          ...commonRecipe(methodOptions.imageToImage, seed, settings, provenance),
        }),
      };
    },
  });
}
