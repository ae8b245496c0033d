import { join } from 'node:path';
import {
  type FeatureExtractorConfig,
  featureExtractorConfig,
} from '../../images/preprocessor-config.js';
import { checkConfig } from '../../networks/config.js';
import type { ComponentDescription } from '../../networks/load-component.js';
import {
  COMPONENTS,
  type ComponentName,
  definitionOf,
  NETWORKS_OF,
  type Task,
} from '../../networks/registry.js';
import type { CanonicalTensor } from '../../networks/weights.js';
import { corrupt } from '../../weights/corrupt.js';
import { readWeights } from '../../weights/index.js';
import type { WeightFile } from '../../weights/types.js';
import { builtInTokenizer } from '../built-in.js';
import { checkTensor, unknownTensor } from '../match-tensors.js';
import {
  byTask,
  type ComponentDescriptions,
  type LayoutDefaults,
  type Missing,
  type ModelDescription,
  type PublishedLayout,
} from '../model.js';
import { PublishedFolder } from '../published-folder.js';
import { type SchedulerFile, type SchedulerName, schedulerFile } from '../scheduler-config.js';
import { findKakaoFiles, KAKAO_FILES, type KakaoFile, kakaoName } from './files.js';
import { isIgnored } from './keys.js';
import { filesOf, inferConfig, kakaoKeys } from './networks.js';

/** How Kakao's program runs a model. */
const defaults: LayoutDefaults = {
  tokenizer: { pad: 'zero', clean: 'kakao' },
  arithmetic: 'gaussian-diffusion',
};

/** Kakao's schedulers clamp the prior's x0 to ±10. */
const SCHEDULERS: Readonly<Record<SchedulerName, Partial<SchedulerFile>>> = {
  prior_scheduler: { prediction_type: 'sample', clip_sample_range: 10 },
  decoder_scheduler: { variance_type: 'learned_range' },
  super_res_scheduler: {},
};

/** Kakao's checkpoints: five files in one folder, without configs. */
export const kakao = {
  name: 'kakao',
  marker: "Kakao's checkpoints",
  defaults,
  async recognise(folder: string, names: readonly string[]) {
    const files = findKakaoFiles(names);
    return Object.keys(files).length > 0 ? new KakaoFolder(folder, files) : undefined;
  },
} as const satisfies PublishedLayout;

export class KakaoFolder extends PublishedFolder {
  readonly kind = 'kakao';
  protected readonly defaults = defaults;
  readonly missing: Missing;
  /** The paths of the files. */
  readonly files: Readonly<Partial<Record<KakaoFile, string>>>;

  /** @param names the names of the files in the folder */
  constructor(folder: string, names: Readonly<Partial<Record<KakaoFile, string>>>) {
    super(folder);
    this.files = Object.fromEntries(
      Object.entries(names).map(([file, name]) => [file, join(folder, name)]),
    );
    this.missing = byTask((task) => missingFiles(names, task));
  }

  protected async read(
    requested: readonly ComponentName[],
    signal?: AbortSignal,
  ): Promise<ModelDescription> {
    const described = new Map<ComponentName, ComponentDescription>();
    for (const file of KAKAO_FILES) {
      const members = COMPONENTS.filter((name) => filesOf(name)[0] === file);
      if (!members.some((name) => requested.includes(name))) continue;
      const inFile = await this.#describeFile(file, members, signal);
      for (const one of inFile) described.set(one.component, one);
    }
    const components: ComponentDescriptions = Object.fromEntries(
      requested.filter((name) => described.has(name)).map((name) => [name, described.get(name)]),
    );
    const edge = components.image_encoder?.config.image_size;
    return {
      folder: this.folder,
      layout: this.kind,
      components,
      schedulers: kakaoSchedulers(),
      tokenizer: builtInTokenizer(),
      ...(edge !== undefined && { featureExtractor: kakaoFeatureExtractor(edge) }),
    };
  }

  /** Describes the networks in a file. Together they must use all of its keys. */
  async #describeFile(
    file: KakaoFile,
    members: readonly ComponentName[],
    signal: AbortSignal | undefined,
  ): Promise<ComponentDescription[]> {
    const weights = new Map<KakaoFile, WeightFile>();
    for (const needed of new Set(members.flatMap(filesOf))) {
      const path = this.files[needed];
      if (path === undefined) return [];
      weights.set(needed, await readWeights(path, signal));
    }
    const components = members.map((name) => describeComponent(name, file, weights));
    checkAllUsed(weights.get(file) as WeightFile, components);
    return components;
  }
}

function missingFiles(found: Readonly<Partial<Record<KakaoFile, string>>>, task: Task): string[] {
  const needed = NETWORKS_OF[task].flatMap(filesOf);
  const files = KAKAO_FILES.filter((file) => needed.includes(file) && !found[file]);
  const unknown = NETWORKS_OF[task].filter((name) => filesOf(name).length === 0);
  return [...files.map(kakaoName), ...unknown];
}

function kakaoSchedulers(): Record<SchedulerName, SchedulerFile> {
  const schedulers: Record<string, SchedulerFile> = {};
  for (const [name, file] of Object.entries(SCHEDULERS)) {
    schedulers[name] = checkConfig(schedulerFile, file, name);
  }
  return schedulers;
}

/** Kakao's program resizes any image to CLIP's square, without a crop. */
function kakaoFeatureExtractor(edge: number): FeatureExtractorConfig {
  const square = { height: edge, width: edge };
  const config = { size: square, crop_size: square, do_center_crop: false };
  return checkConfig(featureExtractorConfig, config, 'feature_extractor');
}

function describeComponent<N extends ComponentName>(
  component: N,
  file: KakaoFile,
  weights: ReadonlyMap<KakaoFile, WeightFile>,
): ComponentDescription<N> {
  const own = weights.get(file) as WeightFile;
  const config = inferConfig(component, own.tensors, own.files[0] as string);
  const keys = kakaoKeys(component, config);
  const tensors = new Map<string, CanonicalTensor>();
  for (const [name, shape] of definitionOf(component).shapes(config)) {
    const stored = keys.get(name);
    if (!stored) throw new Error(`The Kakao key map has no row for ${name}`);
    const { key, transform } = stored;
    const { tensors: found, files } = weights.get(stored.file) as WeightFile;
    const source = found.get(key);
    if (!source) throw corrupt('a tensor', key, files[0] as string, 'none');
    checkTensor(source, transform.source(shape));
    tensors.set(name, { name, shape, source, steps: transform.steps(shape) });
  }
  const files = filesOf(component).flatMap((one) => weights.get(one)?.files ?? []);
  return { component, config, tensors, files };
}

function checkAllUsed(weights: WeightFile, components: readonly ComponentDescription[]): void {
  const tensors = components.flatMap((component) => [...component.tensors.values()]);
  const used = new Set(tensors.map(({ source }) => source.name));
  for (const [name, { file }] of weights.tensors) {
    if (!used.has(name) && !isIgnored(name)) throw unknownTensor(name, file);
  }
}
