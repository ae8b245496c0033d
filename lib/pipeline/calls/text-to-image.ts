import { taskOptions } from '../../options/descriptions.js';
import type { ResolvedTextToImage } from '../../options/resolve-generation.js';
import { listOf } from '../condition.js';
import type { GenerationCall } from './call.js';
import { generationCall } from './generation.js';
import { encodeShared, encodeTexts } from './inputs.js';
import { commonRecipe } from './recipes.js';

/** Generates images of prompts. */
export function textToImageCall(settings: ResolvedTextToImage): GenerationCall {
  const { prompts, negativePrompt } = settings;
  return generationCall(settings, {
    count: prompts.length,
    async encode(encoding) {
      const { features, warnings } = await encodeTexts(encoding, prompts);
      const shared = await encodeShared(encoding, { negativePrompt });
      return {
        conditions: listOf(features.map((text) => ({ text, negative: shared.negative }))),
        warnings: [...warnings, ...shared.warnings],
        recipe: (source, seed, provenance) => ({
          ...{ kind: 'textToImage', prompt: prompts[source] as string },
          ...commonRecipe(taskOptions.textToImage, seed, settings, provenance),
        }),
      };
    },
  });
}
