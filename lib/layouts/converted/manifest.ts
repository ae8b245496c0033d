import { z } from 'zod';
import { KarloError } from '../../errors.js';
import { featureExtractorConfig } from '../../images/preprocessor-config.js';
import { LIBTORCH_VERSION } from '../../libtorch/pins.js';
import { checkConfig, readJson } from '../../networks/config.js';
import { COMPONENTS } from '../../networks/registry.js';
import { PUBLISHED_LAYOUTS } from '../published-layouts.js';
import { SCHEDULERS, schedulerFile } from '../scheduler-config.js';

/** The version of the converted layout. Folders with another version must be converted again. */
export const formatVersion = 1;

/** The name of the manifest in a converted folder. */
export const manifestName = 'karlo.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const bytes = z.int().nonnegative();
// Only names that this package writes, so that a manifest cannot refer to files outside of its folder.
const file = z.string().regex(/^[a-z_]+\.(pt|safetensors)$/);

const component = z.object({
  config: z.record(z.string(), z.unknown()),
  parameters: z.int().nonnegative(),
  /** Tensors that are float32 regardless of the dtype. */
  float32: z.array(z.string()),
  graph: z.object({ file, bytes, sha256 }),
  weights: z.object({ file, bytes, sha256 }),
});

/** `karlo.json`, the contents of a converted folder. */
const manifestSchema = z.object({
  format: z.literal(formatVersion),
  karlo: z.string(),
  libtorch: z.string(),
  /** The layout of the published folder. */
  layout: z.enum(PUBLISHED_LAYOUTS.map(({ name }) => name as string)),
  dtype: z.enum(['float32', 'float16', 'bfloat16']),
  components: z.partialRecord(z.enum(COMPONENTS), component),
  schedulers: z.partialRecord(z.enum(SCHEDULERS), schedulerFile),
  featureExtractor: featureExtractorConfig.optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestComponent = z.infer<typeof component>;

/**
 * Reads and checks a manifest.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT; ERR_KARLO_LIBTORCH_VERSION for graphs of another LibTorch
 *   version
 */
export async function readManifest(path: string): Promise<Manifest> {
  const manifest = checkConfig(manifestSchema, await readJson(path), path);
  if (manifest.libtorch === LIBTORCH_VERSION) return manifest;
  const message = `Expected graphs of LibTorch ${LIBTORCH_VERSION} in ${path} but received ${manifest.libtorch}. Convert the published files again: npx karlo convert`;
  throw new KarloError('ERR_KARLO_LIBTORCH_VERSION', message);
}
