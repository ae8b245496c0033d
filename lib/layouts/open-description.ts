import { KarloError } from '../errors.js';
import { type ComponentDescription, loadComponent } from '../networks/load-component.js';
import { type ComponentConfigs, NETWORKS_OF } from '../networks/registry.js';
import { requireTokenizerFiles } from '../tokenizer/files.js';
import { checkDimensions } from './check-dimensions.js';
import { checkFeatureExtractor } from './check-feature-extractor.js';
import { byTask, type LayoutDefaults, type Model, type ModelDescription } from './model.js';
import { type SchedulerConfig, schedulerConfig } from './scheduler-config.js';

/** Checks that the parts of a model fit together. */
export function checkDescription(model: ModelDescription): void {
  checkDimensions(model);
  const edge = model.components.image_encoder?.config.image_size;
  checkFeatureExtractor(model.featureExtractor, edge, model.folder);
}

/**
 * A model that runs as its files and its layout's defaults say.
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND for missing files of the tokenizer
 */
export async function openDescription(
  { folder, layout, components, featureExtractor, ...described }: ModelDescription,
  defaults: LayoutDefaults,
  fingerprint: Model['fingerprint'],
): Promise<Model> {
  await requireTokenizerFiles(described.tokenizer);
  const configs = mapComponents(components, ({ config }) => config) as Partial<ComponentConfigs>;
  return {
    folder,
    layout,
    configs,
    tasks: byTask((task) => NETWORKS_OF[task].every((name) => configs[name])),
    schedulers: schedulersOf(described.schedulers, defaults.arithmetic),
    ...(featureExtractor && { featureExtractor }),
    tokenizer: { folder: described.tokenizer, options: defaults.tokenizer },
    files: Object.values(components).flatMap(({ files }) => files),
    fingerprint,
    load(component, placement, loading) {
      const description = components[component];
      if (description === undefined) throw missingComponent(folder, component);
      return loadComponent(description as ComponentDescription, placement, loading);
    },
  };
}

function schedulersOf(
  files: ModelDescription['schedulers'],
  arithmetic: LayoutDefaults['arithmetic'],
): Model['schedulers'] {
  const schedulers: Record<string, SchedulerConfig> = {};
  for (const [name, file] of Object.entries(files)) {
    schedulers[name] = schedulerConfig(file, arithmetic);
  }
  return schedulers;
}

/** @param advice how to fix it, as the last part of the message */
export function missingComponent(folder: string, component: string, advice = ''): KarloError {
  const message = `Expected the component ${component} in ${folder} but it is missing${advice}`;
  return new KarloError('ERR_KARLO_MODEL_NOT_FOUND', message);
}

/** Calls a function for each network of a model. */
export function mapComponents<T>(
  components: ModelDescription['components'],
  of: (description: ComponentDescription) => T,
): Record<string, T> {
  return Object.fromEntries(Object.values(components).map((one) => [one.component, of(one)]));
}
