import { findModel } from '../hub/store/resolve.js';
// Encoding an image imports it when it is needed, and Node.js does not repeat an import that has failed.
import '../images/recipe.js';
import type { Provenance } from '../images/recipe.js';
import { loadSharp } from '../images/sharp.js';
import { type Model, openModel } from '../layouts/index.js';
import { fasterDtype } from '../networks/auto-dtype.js';
import type { Placement } from '../networks/placement.js';
import { WeightFiles } from '../networks/weight-files.js';
import { checkDtypeOnCpu, type ResolvedLoadOptions } from '../options/resolve-load.js';
import { identityLabel, type OptionLabeler } from '../options/validate.js';
import { ClipTokenizer } from '../tokenizer/tokenizer.js';
import { openDevice } from '../torch/device.js';
import { Engine } from '../torch/engine.js';
import { AsyncLazy } from '../util/async-lazy.js';
import { availableOn } from './available-memory.js';
import { provenanceOf } from './calls/recipes.js';
import { Cascade } from './cascade.js';
import { Estimator } from './estimate.js';
import { type LoadProgress, loadNetworks } from './load-networks.js';
import { type MemoryPlan, planMemory } from './plan-memory.js';
import { GenerationRunner } from './runner.js';

/** A loaded model, and where and how it runs. */
export interface LoadedModel extends Placement, MemoryPlan {
  readonly name: string;
  readonly model: Model;
  readonly cascade: Cascade;
  readonly estimator: Estimator;
  readonly runner: GenerationRunner;
  readonly weights: WeightFiles;
  /** How messages refer to an option. */
  readonly label: OptionLabeler;
  provenance(): Promise<Provenance>;
}

/** The options of `Karlo.load`, checked. */
export interface LoadRequest extends ResolvedLoadOptions {
  readonly onProgress: ((progress: LoadProgress) => void) | undefined;
  /** How messages refer to an option. */
  readonly label: OptionLabeler;
}

/**
 * Finds a model, reads it and loads its networks.
 * @param opening resolves when another thread has opened LibTorch
 */
export async function load(options: LoadRequest, opening: Promise<void>): Promise<LoadedModel> {
  const { threads, onProgress, signal, memoryBudget, residency, trustGraphs, label } = options;
  const { name, folder } = await findModel(options.model);
  const model = await openModel(folder, { trustGraphs, signal });
  const weights = WeightFiles.record(model.files);
  // Starts here, while other threads open LibTorch and load the networks.
  const { folder: tokenizerFolder, options: tokenizerOptions } = model.tokenizer;
  const tokenizer = ClipTokenizer.fromFolder(tokenizerFolder, { ...tokenizerOptions, signal });
  tokenizer.catch(() => {});
  await opening;
  const { device, dtype: requested } = resolvePlacement(options, label);
  const engine = new Engine({ threads });
  try {
    const dtype =
      requested === 'auto'
        ? await fasterDtype(model.configs.super_res_first, engine, threads)
        : requested;
    const placement = { engine, device, dtype };
    const available = availableOn(device);
    const plan = planMemory(model, { ...placement, memoryBudget, available, residency, label });
    const loading = loadNetworks(model, plan.residency, placement, { onProgress, signal, label });
    loadSharp(); // decodes and encodes images: loaded in parallel with the networks
    const networks = await loading;
    try {
      const cascade = new Cascade(model, networks, await tokenizer, device);
      weights.requireUnchanged();
      return complete(name, model, cascade, { ...placement, ...plan, label, weights });
    } catch (error) {
      await networks.dispose();
      throw error;
    }
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

function complete(
  name: string,
  model: Model,
  cascade: Cascade,
  placement: Placement & MemoryPlan & Pick<LoadedModel, 'label' | 'weights'>,
): LoadedModel {
  const estimator = new Estimator(model, placement, cascade);
  const lazy = new AsyncLazy<Provenance>();
  const provenance = () => lazy.get(() => provenanceOf(name, model, placement));
  const runner = new GenerationRunner({ model, cascade, estimator, provenance, ...placement });
  return { name, model, cascade, estimator, runner, provenance, ...placement };
}

/**
 * Opens the device and decides the dtype. On the CPU, `auto` is not decided here, because it has to be
 * measured.
 * @param label how messages refer to an option; by default, by its API name
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_DEVICE_UNAVAILABLE
 */
export function resolvePlacement(
  { device, dtype }: Pick<ResolvedLoadOptions, 'device' | 'dtype'>,
  label: OptionLabeler = identityLabel,
): Pick<ResolvedLoadOptions, 'device' | 'dtype'> {
  const opened = openDevice(device);
  if (opened !== 'cpu') return { device: opened, dtype: dtype === 'auto' ? 'bfloat16' : dtype };
  checkDtypeOnCpu(dtype, label);
  return { device: opened, dtype };
}
