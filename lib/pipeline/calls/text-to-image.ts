import { quote } from '../../errors.js';
import type { ResolvedTextToImage } from '../../options/resolve-generation.js';
import type { GenerationCall } from './call.js';
import { textToImageRecipe } from './recipes.js';

/** Generates images of prompts. */
export function textToImageCall(settings: ResolvedTextToImage): GenerationCall {
  const { prompts } = settings;
  return {
    task: 'textToImage',
    settings,
    async encode(cascade, signal) {
      const conditions = await cascade.encodeText(prompts, signal);
      return {
        conditions,
        warnings: conditions.flatMap(({ truncated }, i) =>
          truncated === undefined ? [] : [truncationWarning(prompts[i] as string, truncated)],
        ),
        recipe: ({ source, seed }, provenance) =>
          textToImageRecipe(prompts[source] as string, seed, settings, provenance),
      };
    },
  };
}

function truncationWarning(prompt: string, truncated: string): string {
  return `The prompt ${quote(prompt)} is too long: '${truncated}' was left out`;
}
