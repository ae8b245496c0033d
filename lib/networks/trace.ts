import type { ConfigValue } from '../torch/addon-types.js';
import { type Parameter, traceNetwork } from '../torch/network.js';
import type { ScriptModule } from '../torch/script-module.js';
import type { Tensor } from '../torch/tensor.js';
import { corrupt } from '../weights/corrupt.js';
import { sameShape } from '../weights/shape.js';
import { type ComponentConfigs, type ComponentName, definitionOf } from './registry.js';
import {
  type CanonicalTensor,
  MappedFiles,
  type Placement,
  readWeight,
  type WeightDtype,
} from './weights.js';

/** All that a network is made of. */
export interface ComponentDescription<N extends ComponentName = ComponentName> {
  component: N;
  config: ComponentConfigs[N];
  /** Every tensor that the network needs, and no other. */
  tensors: ReadonlyMap<string, CanonicalTensor>;
  files: readonly string[];
}

/** A described network as a module over empty parameters, and the weights to assign to them. */
export interface Traced {
  module: ScriptModule;
  weights: { tensor: CanonicalTensor; keepFloat32: boolean }[];
}

/**
 * Traces a described network.
 * @param methods those to be recorded; all of them, where none is named
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT where the description and the network disagree
 */
export async function traceComponent(
  { component, config, tensors, files }: ComponentDescription,
  engine: Placement['engine'],
  methods: readonly string[] = [],
): Promise<Traced> {
  const values = config as unknown as Record<string, ConfigValue>;
  const { kind } = definitionOf(component);
  const { module, parameters } = await traceNetwork(kind, values, engine, methods);
  const weights = parameters.map((parameter) => {
    const tensor = tensors.get(parameter.name);
    checkParameter(parameter, tensor, files[0] ?? component);
    return { tensor: tensor as CanonicalTensor, keepFloat32: parameter.keepFloat32 };
  });
  return { module, weights };
}

function checkParameter(
  { name, shape }: Parameter,
  tensor: CanonicalTensor | undefined,
  file: string,
) {
  if (tensor === undefined) throw corrupt('a tensor', name, file, 'none');
  if (sameShape(tensor.shape, shape)) return;
  throw corrupt(`shape [${shape.join(', ')}]`, name, file, tensor.shape);
}

/** The dtype in which a parameter is kept: tables and statistics stay float32. */
export function dtypeOfWeight(keepFloat32: boolean, dtype: WeightDtype): WeightDtype {
  return keepFloat32 ? 'float32' : dtype;
}

export interface Loading {
  /** Called after each tensor. */
  onTensor?: (name: string, bytes: number) => void;
  /** The methods that are needed: a published network has no others then. All of them if absent. */
  methods?: readonly string[];
}

/**
 * A published network, ready to run: traced, its weights mapped from their files and moved to the
 * device and dtype. Where file and placement agree, nothing is copied.
 */
export async function loadComponent(
  description: ComponentDescription,
  placement: Placement,
  { onTensor, methods }: Loading = {},
): Promise<ScriptModule> {
  const { module, weights } = await traceComponent(description, placement.engine, methods);
  await assignWeights(module, weights, placement, onTensor);
  return module;
}

/** Reads each weight to its place and assigns them all. */
export async function assignWeights(
  module: ScriptModule,
  weights: Traced['weights'],
  placement: Placement,
  onTensor: (name: string, bytes: number) => void = () => {},
): Promise<void> {
  using files = new MappedFiles();
  const attributes: Record<string, Tensor> = {};
  try {
    for (const { tensor, keepFloat32 } of weights) {
      const dtype = dtypeOfWeight(keepFloat32, placement.dtype);
      attributes[tensor.name] = await readWeight(tensor, files, { ...placement, dtype });
      onTensor(tensor.name, tensor.source.byteLength);
    }
    await module.assign(attributes);
  } finally {
    for (const tensor of Object.values(attributes)) tensor.dispose();
  }
}
