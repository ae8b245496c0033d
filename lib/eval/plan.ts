import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { expected, invalidArgument } from '../errors.js';
import { findModel } from '../hub/store/resolve.js';
import { openModel } from '../layouts/index.js';
import { checkOptions } from '../options/check-options.js';
import { evaluationOptions, loadOptions } from '../options/descriptions.js';
import { resolveLoadOptions } from '../options/resolve-load.js';
import type { EvaluationOptions, LoadOptions } from '../options/types.generated.js';
import { callback, knownOptions, labelOf, type OptionLabeler } from '../options/validate.js';
import {
  type Caption,
  hashOf,
  limitTo,
  readCaptions,
  requireCaptions,
  type Shard,
  shardOf,
} from './captions.js';
import { ImageFolder } from './image-folder.js';
import type { EvaluationQueue } from './image-source.js';
import type { ImageModel } from './manifest.js';
import { type Preset, presets } from './presets.js';
import { findReference, type ReferenceSource } from './reference.js';
import { type EvaluationSetting, type ResolvedSetting, resolveSetting } from './settings.js';

/** How far an evaluation is. */
export interface EvaluationProgress {
  /** Features of reference images are computed, the model is loaded, images are generated, or images are scored. */
  readonly phase: 'reference' | 'load' | 'generate' | 'score';
  /** Images that are done, of all settings; 0 while the model is loaded. */
  readonly done: number;
  /** Images in all. */
  readonly total: number;
}

/** Options of `generateImages` and `evaluate`. */
export interface EvaluateOptions extends EvaluationOptions, LoadOptions {
  /** A file that `readCaptions` reads, or captions. */
  captions: string | readonly Caption[];
  /** The folder of the images and of the report. An existing one is continued. */
  output: string;
  /** One row of the report each; by default those of the preset, or `fast` sampling alone. */
  settings?: readonly EvaluationSetting[] | undefined;
  /** A queue whose workers generate the images. By default, this process does. */
  queue?: EvaluationQueue | undefined;
  /** Stops within one step. Images that are done stay in the output folder. */
  signal?: AbortSignal | undefined;
  /** Called as images are done. */
  onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}

/** A setting, and its images. */
export interface PlannedRow {
  readonly setting: ResolvedSetting;
  readonly folder: ImageFolder;
}

/** An evaluation whose options are checked. */
export interface Plan {
  readonly captions: readonly Caption[];
  readonly rows: readonly [PlannedRow, ...PlannedRow[]];
  readonly load: LoadOptions;
  readonly output: string;
  readonly queue: EvaluationQueue | undefined;
  readonly seed: number;
  readonly batchSize: number;
  readonly clip: string | undefined;
  readonly inception: string | undefined;
  readonly reference: ReferenceSource | undefined;
  readonly preset: Preset | undefined;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: EvaluationProgress) => void;
  readonly label: OptionLabeler;
}

const further = ['captions', 'output', 'settings', 'queue', 'onProgress'];

/**
 * Checks the options of an evaluation, reads its captions, and opens its folders.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, also for folders with images of other settings, captions or weights
 */
export async function planOf(options: EvaluateOptions, label: OptionLabeler): Promise<Plan> {
  const { load, limit, preset: name, reference: path, ...checked } = checkedOptions(options, label);
  const preset = name && presets[name];
  const settings = resolveSettings(options.settings ?? preset?.settings ?? [{}], label);
  const all = await captionsOf(options.captions);
  const captions = limitTo(all, limit ?? preset?.limit);
  const reference = path === undefined ? undefined : await findReference(path);
  if (reference !== undefined && captions.length < 2) {
    const what = 'at least two captions, whose images are compared with the reference';
    throw invalidArgument(`Expected ${what}, but received one`);
  }
  const request = { captions: hashOf(all), seed: checked.seed };
  const model = options.queue ? {} : await modelOf(load, label);
  const openRow = async (setting: ResolvedSetting): Promise<PlannedRow> => {
    const folder = await ImageFolder.open(join(options.output, setting.name), {
      ...request,
      options: setting.recorded,
    });
    await folder.requireSame(model);
    return { setting, folder };
  };
  return {
    ...{ ...checked, captions, load, reference, preset, label },
    rows: (await Promise.all(settings.map(openRow))) as unknown as Plan['rows'],
    signal: sharedSignal(load.signal),
    output: options.output,
    queue: options.queue,
    onProgress: options.onProgress ?? (() => {}),
  };
}

/** The options of tables, checked, and of those of loading the given ones. */
function checkedOptions(options: EvaluateOptions, label: OptionLabeler) {
  const scope = { path: '', label };
  const { onProgress: _, ...ofLoading } = loadOptions;
  const known = [...Object.keys({ ...evaluationOptions, ...ofLoading }), ...further];
  const raw = knownOptions(options, known, labelOf(scope, 'options'), scope);
  const given = Object.entries(raw).filter(([name]) => name in ofLoading);
  const load: LoadOptions = Object.fromEntries(given);
  resolveLoadOptions(load, label);
  callback(raw.onProgress, labelOf(scope, 'onProgress'));
  if (typeof raw.output !== 'string' || raw.output === '') {
    throw expected('the path of a folder', labelOf(scope, 'output'), raw.output);
  }
  return { ...checkOptions(evaluationOptions, raw, scope), load };
}

/** A signal that all images listen to. */
function sharedSignal(signal: AbortSignal | undefined): AbortSignal {
  const shared = AbortSignal.any(signal === undefined ? [] : [signal]);
  setMaxListeners(0, shared);
  return shared;
}

async function captionsOf(captions: EvaluateOptions['captions']): Promise<readonly Caption[]> {
  const all = typeof captions === 'string' ? await readCaptions(captions) : captions;
  requireCaptions(all);
  return all;
}

function resolveSettings(
  settings: readonly EvaluationSetting[],
  label: OptionLabeler,
): ResolvedSetting[] {
  const resolved = settings.map((setting) => resolveSetting(setting, label));
  const names = resolved.map(({ name }) => name);
  const repeated = names.find((name, i) => names.indexOf(name) !== i);
  if (repeated === undefined && names.length > 0) return resolved;
  const received = repeated === undefined ? 'none' : `two of ${repeated}`;
  throw invalidArgument(
    `Expected settings that differ in sampling or guidance but received ${received}. Use another output folder for the others`,
  );
}

/** What is known of a model before it is loaded: its weights, and the dtype if it is given. */
async function modelOf(load: LoadOptions, label: OptionLabeler): Promise<Partial<ImageModel>> {
  const { model, dtype } = resolveLoadOptions(load, label);
  const { name, folder } = await findModel(model);
  const sha256 = await (await openModel(folder)).fingerprint();
  return { model: { name, sha256 }, ...(dtype !== 'auto' && { dtype }) };
}

/** A plan for a part of its captions. */
export function partOf(plan: Plan, shard: Shard): Plan {
  const { index, count } = shard;
  const isShard = Number.isInteger(count) && Number.isInteger(index) && index >= 1;
  if (!isShard || index > count) {
    throw invalidArgument(`Expected a shard such as 2/4 but received ${index}/${count}`);
  }
  return { ...plan, captions: shardOf(plan.captions, shard) };
}
