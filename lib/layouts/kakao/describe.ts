import { COMPONENTS, type ComponentName, SCHEDULERS } from '../../networks/registry.js';
import { expectedShapes } from '../../networks/shapes/index.js';
import { corrupt } from '../../weights/corrupt.js';
import { readWeights } from '../../weights/index.js';
import type { WeightFile } from '../../weights/types.js';
import {
  type CanonicalTensor,
  type ComponentDescription,
  type ComponentDescriptions,
  checkTensor,
  type ModelDescription,
} from '../describe.js';
import type { KakaoLayout } from '../layout.js';
import { inferConfig, kakaoFeatureExtractor, kakaoScheduler, Sizes } from './config.js';
import type { KakaoFile } from './files.js';
import { type KeyTable, keyTable } from './key-table.js';
import { KAKAO_IGNORED, KAKAO_PLACES, kakaoKeys, STATS_KEYS } from './keys.js';

const statsTable = keyTable(STATS_KEYS);

/** Describes those of `wanted` that the folder's files hold, with the layout's constants. */
export async function describeKakao(
  layout: KakaoLayout,
  wanted: readonly ComponentName[],
): Promise<ModelDescription> {
  const described: Record<string, ComponentDescription> = {};
  for (const file of new Set(wanted.map((name) => KAKAO_PLACES[name].file))) {
    for (const component of await describeFile(layout, file)) {
      if (wanted.includes(component.component)) described[component.component] = component;
    }
  }
  const components = described as ComponentDescriptions;
  const edge = components.image_encoder?.config.image_size;
  return {
    layout: 'kakao',
    folder: layout.folder,
    components,
    schedulers: Object.fromEntries(SCHEDULERS.map((name) => [name, kakaoScheduler(name)])),
    ...(edge !== undefined && { featureExtractor: kakaoFeatureExtractor(edge) }),
  };
}

/** The components of one file; together they must use every key of it. */
async function describeFile(layout: KakaoLayout, file: KakaoFile): Promise<ComponentDescription[]> {
  const path = layout.files[file];
  if (path === undefined) return [];
  const weights = await readWeights(path);
  const statsPath = layout.files.stats;
  if (file === 'prior' && statsPath === undefined) return [];
  const stats = file === 'prior' ? await readWeights(statsPath as string) : undefined;
  const members = COMPONENTS.filter((name) => KAKAO_PLACES[name].file === file);
  const components = members.map((name) => describeComponent(name, weights, path, stats));
  checkAllUsed(weights, components);
  return components;
}

function describeComponent<N extends ComponentName>(
  component: N,
  weights: WeightFile,
  path: string,
  stats: WeightFile | undefined,
): ComponentDescription<N> {
  const { prefix } = KAKAO_PLACES[component];
  const config = inferConfig(component, new Sizes(weights.tensors, prefix, path));
  const table = kakaoKeys(component, config);
  const tensors = new Map<string, CanonicalTensor>();
  for (const [name, shape] of expectedShapes(component, config)) {
    const inStats = stats && statsTable(name) !== undefined;
    const place = inStats
      ? { weights: stats, table: statsTable, prefix: '' }
      : { weights, table, prefix };
    tensors.set(name, canonical(name, shape, place));
  }
  const files = [...weights.files, ...(stats?.files ?? [])];
  return { component, config, tensors, files };
}

interface Place {
  weights: WeightFile;
  table: KeyTable;
  prefix: string;
}

function canonical(
  name: string,
  shape: readonly number[],
  { weights, table, prefix }: Place,
): CanonicalTensor {
  const source = table(name);
  if (!source) throw new Error(`The Kakao key table has no row for ${name}`);
  const key = prefix + source.key;
  const entry = weights.tensors.get(key);
  if (!entry) throw corrupt('a tensor', key, weights.files[0] as string, 'none');
  checkTensor(entry, source.transform.source(shape));
  return { name, shape, source: entry, steps: source.transform.steps(shape) };
}

function checkAllUsed(weights: WeightFile, components: ComponentDescription[]): void {
  const used = new Set<string>();
  for (const { tensors } of components) {
    for (const { source } of tensors.values()) used.add(source.name);
  }
  for (const [name, { file }] of weights.tensors) {
    if (used.has(name) || KAKAO_IGNORED.test(name)) continue;
    throw corrupt("only the network's tensors", name, file, 'an unknown one');
  }
}
