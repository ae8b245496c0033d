import { z } from 'zod';
import { featureExtractorConfig } from '../../images/preprocessor-config.js';
import { checkConfig, readJson } from '../../networks/config.js';
import { COMPONENTS } from '../../networks/registry.js';
import { PUBLISHED_LAYOUTS } from '../published-layouts.js';
import { SCHEDULERS, schedulerFile } from '../scheduler-config.js';

/** The version of the converted layout that `karlo convert` writes. */
export const formatVersion = 2;

/** The name of the manifest in a converted folder. */
export const manifestName = 'karlo.json';

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const bytes = z.int().nonnegative();
// Only names that this package writes, so that a manifest cannot refer to files outside of its folder.
const file = z.string().regex(/^[a-z_]+\.(pt|safetensors)$/);

const component = z.object({
  config: z.record(z.string(), z.unknown()),
  parameters: z.int().nonnegative(),
  weights: z.object({ file, bytes, sha256 }),
});

const componentWithGraph = component.extend({
  /** Tensors that are float32 regardless of the dtype. */
  float32: z.array(z.string()),
  graph: z.object({ file, bytes, sha256 }),
});

const common = {
  karlo: z.string(),
  /** The layout of the published folder. */
  layout: z.enum(PUBLISHED_LAYOUTS.map(({ name }) => name as string)),
  dtype: z.enum(['float32', 'float16', 'bfloat16']),
  schedulers: z.partialRecord(z.enum(SCHEDULERS), schedulerFile),
  featureExtractor: featureExtractorConfig.optional(),
};

/** `karlo.json`, the contents of a converted folder. */
const manifestSchema = z.object({
  format: z.literal(formatVersion),
  ...common,
  components: z.partialRecord(z.enum(COMPONENTS), component),
});

/** The same in format 1, which contained the graphs of the networks. */
const manifestWithGraphs = z.object({
  format: z.literal(1),
  ...common,
  /** The version of LibTorch that the graphs were written with. */
  libtorch: z.string(),
  components: z.partialRecord(z.enum(COMPONENTS), componentWithGraph),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type ManifestWithGraphs = z.infer<typeof manifestWithGraphs>;
export type ManifestComponent = z.infer<typeof component>;
export type ComponentWithGraph = z.infer<typeof componentWithGraph>;

/**
 * Reads and checks a manifest.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT
 */
export async function readManifest(
  path: string,
  signal?: AbortSignal,
): Promise<Manifest | ManifestWithGraphs> {
  const value = await readJson(path, signal);
  const { format } = checkConfig(z.object({ format: z.literal([1, formatVersion]) }), value, path);
  if (format === 1) return checkConfig(manifestWithGraphs, value, path);
  return checkConfig(manifestSchema, value, path);
}
