import type { Provenance } from '../images/recipe.js';
import type { Model } from '../layouts/index.js';
import { version as torchVersion } from '../torch/load.js';
import { packageVersion } from '../util/package.js';

/**
 * The provenance of a model's images.
 * @param name of the model
 */
export async function provenanceOf(
  name: string,
  model: Model,
  { device, dtype }: { readonly device: string; readonly dtype: Provenance['dtype'] },
): Promise<Provenance> {
  return {
    model: { name, sha256: await model.fingerprint() },
    versions: { karlo: packageVersion(), libtorch: torchVersion().libtorch },
    device: device.startsWith('cuda') ? 'cuda' : 'cpu',
    dtype,
  };
}
