import type { Provenance, Recipe } from '../../images/recipe.js';
import type { Model } from '../../layouts/index.js';
import type { OptionTable } from '../../options/descriptions.js';
import { deviceTypeOf } from '../../options/device-name.js';
import { recordedOptions } from '../../options/recorded.js';
import type { ResolvedOptions } from '../../options/resolve-generation.js';
import { version as torchVersion } from '../../torch/load.js';
import { packageVersion } from '../../util/package.js';

/** What recipes of all images of a call have in common: the recorded options of a table, and the model. */
export function commonRecipe<T extends OptionTable>(
  table: T,
  seed: number,
  settings: ResolvedOptions<T>,
  provenance: Provenance,
) {
  return { format: 1, ...recordedOptions(table, settings), seed, ...provenance } as const;
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

/** Why images will differ from those that a recipe describes. */
export function differences(
  recipe: Recipe,
  { model, versions, device, dtype }: Provenance,
): string[] {
  if (recipe.model.sha256 !== model.sha256) {
    return [
      `the recipe was made with other weights (${recipe.model.name}): the image will be different`,
    ];
  }
  if (recipe.device !== device) {
    return [
      `the recipe was made on another kind of device (${recipe.device}): the image may differ slightly`,
    ];
  }
  if (recipe.dtype !== dtype) {
    return [`the recipe was made in ${recipe.dtype}: the image may differ slightly`];
  }
  if (recipe.versions.libtorch === versions.libtorch) return [];
  return [
    `the recipe was made with LibTorch ${recipe.versions.libtorch}: the image may differ by 1/255`,
  ];
}
