// Checks that an installation computes what it should: networks, operators and images, in every dtype, batch size, number
// of threads and device. docs/guide/verify.md describes each comparison and its bound.
import { findModel } from '../hub/store/resolve.js';
import { type Model, openModel } from '../layouts/index.js';
import { COMPONENTS, type ComponentName } from '../networks/registry.js';
import { resolveLoadOptions } from '../options/resolve-load.js';
import { identityLabel, type OptionLabeler } from '../options/validate.js';
import { CONTEXT_LENGTH } from '../tokenizer/tokenizer.js';
import { openDevice } from '../torch/device.js';
import { Engine } from '../torch/engine.js';
import { BOUNDS, type Bounds } from './bounds.js';
import type { Finding } from './findings.js';
import { checkImages } from './images.js';
import { describeInstallation, type Installation } from './installation.js';
import { checkNetwork, type NetworkCheck, type Subject } from './networks.js';
import { operatorSubjects } from './operators.js';
import { checkReference, findReference } from './reference.js';

export type { Finding } from './findings.js';
export type { Installation } from './installation.js';

export interface VerifyOptions {
  /** As in `Karlo.load`. */
  readonly model?: string | undefined;
  readonly device?: string | undefined;
  readonly threads?: number | undefined;
  readonly trustGraphs?: boolean | undefined;
  /** A virtual environment with diffusers, or its Python, to compare images with. */
  readonly reference?: string | undefined;
  readonly signal: AbortSignal;
  readonly bounds?: Bounds;
  /** How messages refer to an option. */
  readonly label?: OptionLabeler;
}

export interface Verification {
  readonly installation: Installation;
  /** Runs the comparisons, one after another. */
  findings(): AsyncGenerator<Finding, void>;
}

/**
 * Opens a model, and describes the installation.
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT, ERR_KARLO_MODEL_NOT_FOUND, ERR_KARLO_MODEL_CORRUPT,
 *   ERR_KARLO_DEVICE_UNAVAILABLE, ERR_KARLO_LIBTORCH_MISSING
 */
export async function openVerification(options: VerifyOptions): Promise<Verification> {
  const { reference, signal, bounds = BOUNDS, label = identityLabel } = options;
  const { model: name, threads, trustGraphs, device: requested } = resolve(options, label);
  const found = await findModel(name);
  const python =
    reference === undefined ? undefined : await findReference(reference, found.folder, signal);
  const model = await openModel(found.folder, { trustGraphs, signal });
  const device = openDevice(requested, label('device'));
  const check = { threads, device, bounds, signal };
  return {
    installation: await describeInstallation(found.name, model, threads),
    async *findings() {
      yield* checkNetworks(model, check);
      const images = { ...check, folder: found.folder, tasks: model.tasks, trustGraphs };
      yield* checkImages(images);
      if (python !== undefined) yield* checkReference(python, images);
    },
  };
}

function resolve({ model, device, threads, trustGraphs }: VerifyOptions, label: OptionLabeler) {
  return resolveLoadOptions({ model, device, threads, trustGraphs }, label);
}

async function* checkNetworks(
  model: Model,
  check: Omit<NetworkCheck, 'engine'>,
): AsyncGenerator<Finding, void> {
  await using engine = new Engine({ threads: check.threads });
  for (const subject of operatorSubjects()) yield* checkNetwork(subject, { ...check, engine });
  for (const component of COMPONENTS) {
    const subject = subjectOf(model, component, check.signal);
    if (subject) yield* checkNetwork(subject, { ...check, engine });
    else yield absent(component);
  }
}

function subjectOf(
  model: Model,
  component: ComponentName,
  signal: AbortSignal,
): Subject | undefined {
  const config = model.configs[component];
  if (config === undefined) return undefined;
  const tokens = model.configs.text_encoder?.max_position_embeddings ?? CONTEXT_LENGTH;
  return {
    ...{ part: 'networks', name: component, component, config, tokens },
    load: (placement) => model.load(component, placement, { signal }),
  };
}

function absent(component: ComponentName): Finding {
  const reason = 'the model does not have this network';
  return {
    ...{ part: 'networks', subject: component, comparison: 'all comparisons' },
    ...{ verdict: 'skipped', reason },
  };
}
