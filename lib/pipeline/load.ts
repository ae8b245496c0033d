import { findModel } from '../hub/store/resolve.js';
// Encoding an image imports it when it is needed, and Node.js does not repeat an import that has failed.
import '../images/recipe.js';
import { expected } from '../errors.js';
import type { Provenance } from '../images/recipe.js';
import { loadSharp } from '../images/sharp.js';
import { type Model, openModel } from '../layouts/index.js';
import { fasterDtype } from '../networks/auto-dtype.js';
import type { Placement } from '../networks/placement.js';
import { WeightFiles } from '../networks/weight-files.js';
import type { WeightDtype } from '../options/choices.js';
import { checkDtypeOnCpu, type ResolvedLoadOptions } from '../options/resolve-load.js';
import { identityLabel, type OptionLabeler } from '../options/validate.js';
import { SafetyChecker } from '../safety/checker.js';
import type { CheckerDescription } from '../safety/checker-folder.js';
import { findDescription, placeChecker } from '../safety/load-checker.js';
import { ClipTokenizer } from '../tokenizer/tokenizer.js';
import { hasBfloat16, openDevice } from '../torch/device.js';
import { Engine } from '../torch/engine.js';
import { AsyncLazy } from '../util/async-lazy.js';
import { availableOn } from './available-memory.js';
import { provenanceOf } from './calls/recipes.js';
import { Cascade } from './cascade.js';
import { Estimator } from './estimate.js';
import { type LoadProgress, loadNetworks } from './load-networks.js';
import { type MemoryPlan, planMemory } from './plan-memory.js';
import { GenerationRunner } from './runner.js';
import { mergeSafety, type SafetySettings } from './safety-guard.js';

/** A loaded model, and where and how it runs. */
export interface LoadedModel extends Placement, MemoryPlan {
  readonly name: string;
  readonly model: Model;
  readonly cascade: Cascade;
  readonly estimator: Estimator;
  readonly runner: GenerationRunner;
  readonly weights: WeightFiles;
  /** How calls are checked that do not say so themselves. */
  readonly safety: SafetySettings;
  /** The safety checker that was loaded with the model. */
  readonly checker: SafetyChecker | undefined;
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
  const checkerFiles = await checkerOf(options);
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
    const checker = checkerFiles && (await loadChecker(checkerFiles, placement, options));
    const plan = planMemory(model, { ...placement, memoryBudget, available, residency, label });
    const loading = loadNetworks(model, plan.residency, placement, { onProgress, signal, label });
    loadSharp(); // decodes and encodes images: loaded in parallel with the networks
    const networks = await loading;
    try {
      const cascade = new Cascade(model, networks, await tokenizer, device);
      weights.requireUnchanged();
      const safety = mergeSafety({ ...options, ...(checker && { safety: checker }) }, {});
      const checks = { checker, safety };
      return complete(name, model, cascade, { ...placement, ...plan, ...checks, label, weights });
    } catch (error) {
      await networks.dispose();
      throw error;
    }
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

/** The safety checker that is loaded with the model: its files, if it was named. */
async function checkerOf({ safety, signal }: LoadRequest): Promise<CheckerDescription | undefined> {
  return typeof safety === 'string' ? findDescription(safety, signal) : undefined;
}

/** Loads it for the model's own inference thread. In float32, so that its verdicts are those of the reference. */
async function loadChecker(
  description: CheckerDescription,
  { engine, device }: Placement,
  { signal }: LoadRequest,
): Promise<SafetyChecker> {
  const placement = { engine, device, dtype: 'float32' } as const;
  return SafetyChecker.of(await placeChecker(description, placement, signal));
}

function complete(
  name: string,
  model: Model,
  cascade: Cascade,
  placement: Placement & MemoryPlan & Pick<LoadedModel, 'label' | 'weights' | 'safety' | 'checker'>,
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
  if (opened === 'cpu') {
    checkDtypeOnCpu(dtype, label);
    return { device: opened, dtype };
  }
  return { device: opened, dtype: dtypeOnGpu(opened, dtype, label) };
}

function dtypeOnGpu(
  device: string,
  dtype: ResolvedLoadOptions['dtype'],
  label: OptionLabeler,
): WeightDtype {
  const supported = hasBfloat16(device);
  if (dtype === 'auto') return supported ? 'bfloat16' : 'float32';
  if (dtype === 'bfloat16' && !supported) {
    throw expected("'float32' or 'float16' on MPS before macOS 14", label('dtype'), dtype);
  }
  return dtype;
}
