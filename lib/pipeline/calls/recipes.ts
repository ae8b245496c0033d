import type { ImageVariationRecipe, Provenance, TextToImageRecipe } from '../../images/recipe.js';
import type { Model } from '../../layouts/index.js';
import { generationOptions, textToImageOptions } from '../../options/descriptions.js';
import { deviceTypeOf } from '../../options/device-name.js';
import { recordedOptions } from '../../options/recorded.js';
import type { ResolvedGeneration, ResolvedTextToImage } from '../../options/resolve-generation.js';
import { version as torchVersion } from '../../torch/load.js';
import { packageVersion } from '../../util/package.js';

/** The recipe of an image that was generated from a prompt. */
export function textToImageRecipe(
  prompt: string,
  seed: number,
  settings: ResolvedTextToImage,
  provenance: Provenance,
): TextToImageRecipe {
  return {
    kind: 'textToImage',
    prompt,
    ...recordedOptions(textToImageOptions, settings),
    ...commonFields(seed, settings, provenance),
  };
}

/** The recipe of a variation of an image. */
export function imageVariationRecipe(
  source: ImageVariationRecipe['source'],
  seed: number,
  settings: ResolvedGeneration,
  provenance: Provenance,
): ImageVariationRecipe {
  return { kind: 'imageVariation', source, ...commonFields(seed, settings, provenance) };
}

function commonFields(seed: number, settings: ResolvedGeneration, provenance: Provenance) {
  const recorded = recordedOptions(generationOptions, settings);
  return { format: 1, ...recorded, seed, ...provenance } as const;
}

/**
 * The provenance of a model's images.
 * @param name of the model
 */
export async function provenanceOf(
  name: string,
  model: Model,
  { device, dtype }: { readonly device: string; readonly dtype: Provenance['dtype'] },
): Promise<Provenance> {
  const { libtorch, kernels } = torchVersion();
  const type = deviceTypeOf(device);
  return {
    model: { name, sha256: await model.fingerprint() },
    versions: { karlo: packageVersion(), libtorch },
    device: type,
    ...(type === 'cpu' && { kernels }),
    dtype,
  };
}
