import { basename } from 'node:path';
import { expected, type KarloError } from '../../errors.js';
import type { Pixels } from '../../images/pixels.js';
import { resizeToSquare } from '../../images/square.js';
import { integer } from '../../options/validate.js';
import type { Engine } from '../../torch/engine.js';
import { type ScriptInput, ScriptModule, type ScriptOutput } from '../../torch/script-module.js';
import { Tensor, tidy } from '../../torch/tensor.js';
import { chunks } from '../../util/chunks.js';
import { corrupt } from '../../weights/corrupt.js';
import type { FeatureNetwork, FeatureOptions } from './feature-network.js';
import { type EvaluationPlacement, onEngine } from './placement.js';

/**
 * How `forward` of a TorchScript feature network is called:
 * - `stylegan`: `forward(uint8 [N, 3, H, W], return_features=True)`, as the published `inception-2015-12-05.pt`
 * - `uint8`: `forward(uint8 [N, 3, H, W])`
 * - `float`: `forward(float32 [N, 3, H, W])` with values in [0, 1]
 */
export const featureInputs = ['stylegan', 'uint8', 'float'] as const;
export type FeatureInput = (typeof featureInputs)[number];

export interface TorchScriptOptions extends EvaluationPlacement {
  /** By default `stylegan` if `forward` has a boolean as second parameter, and `float` otherwise. */
  readonly input?: FeatureInput | undefined;
  /** The side of the images in pixels, 256 by default: the short side is resized to it, and the centre cropped. */
  readonly size?: number | undefined;
  /** Images that run at the same time, 8 by default. */
  readonly batchSize?: number | undefined;
}

/**
 * Loads a TorchScript feature network, such as Inception, and runs it once on a black image. TorchScript is a program:
 * load only files that you would run.
 * @param path of a file whose `forward` returns features `[N, D]` or `[N, D, 1, 1]`, or a list or tuple that starts
 *   with them
 * @throws {KarloError} ERR_KARLO_MODEL_NOT_FOUND; ERR_KARLO_MODEL_CORRUPT, also for other results;
 *   ERR_KARLO_INVALID_ARGUMENT; ERR_KARLO_DEVICE_UNAVAILABLE
 */
export async function loadTorchScript(
  path: string,
  options: TorchScriptOptions = {},
): Promise<FeatureNetwork> {
  const { input, signal } = options;
  if (input !== undefined && !featureInputs.includes(input)) {
    throw expected(featureInputs.join(', '), 'input', input);
  }
  const size = integer(options.size, [1, 8192], 'size', 256);
  const batchSize = integer(options.batchSize, [1, 1024], 'batchSize', 8);
  return await onEngine(options, async (engine, device) => {
    const module = await ScriptModule.load(path, { engine, device, signal });
    const black = { data: new Uint8Array(3 * size * size), width: size, height: size };
    const attempt = async (input: FeatureInput) => {
      const call = { module, path, input, size, batchSize };
      const [feature] = await run(call, [black.data], signal);
      return new TorchScriptFeatures(engine, call, feature?.length ?? 0);
    };
    if (input !== undefined) return await attempt(input);
    return await attempt('stylegan').catch((error) => {
      if ((error as Partial<KarloError>).code !== 'ERR_KARLO_INVALID_ARGUMENT') throw error;
      return attempt('float');
    });
  });
}

interface Call {
  readonly module: ScriptModule;
  readonly path: string;
  readonly input: FeatureInput;
  readonly size: number;
  readonly batchSize: number;
}

class TorchScriptFeatures implements FeatureNetwork {
  readonly name: string;
  readonly dimensions: number;
  readonly #engine: Engine;
  readonly #call: Call;

  constructor(engine: Engine, call: Call, dimensions: number) {
    this.name = basename(call.path);
    this.dimensions = dimensions;
    this.#engine = engine;
    this.#call = call;
  }

  async extract(
    images: readonly Pixels[],
    { signal }: FeatureOptions = {},
  ): Promise<Float32Array[]> {
    const square = { edge: this.#call.size, fit: 'cover' } as const;
    const features: Float32Array[] = [];
    for (const some of chunks(images, this.#call.batchSize)) {
      const squares = await Promise.all(some.map((image) => resizeToSquare(image, square)));
      features.push(...(await run(this.#call, squares, signal)));
    }
    return features;
  }

  async dispose(): Promise<void> {
    this.#call.module.dispose();
    await this.#engine.dispose();
  }
}

async function run(
  { module, path, input, size }: Call,
  squares: readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<Float32Array[]> {
  using pixels = toTensor(squares, size, input === 'float', module.device);
  const inputs: ScriptInput[] = input === 'stylegan' ? [pixels, true] : [pixels];
  const output = await module.run('forward', inputs, { signal });
  try {
    return toRows(firstOf(output), squares.length, path);
  } finally {
    disposeAll(output);
  }
}

/** `[N, 3, size, size]`: bytes, or float32 in [0, 1]. */
function toTensor(
  squares: readonly Uint8Array[],
  size: number,
  asFloat: boolean,
  device: string,
): Tensor {
  const all = new Uint8Array(squares.length * 3 * size * size);
  for (const [i, square] of squares.entries()) all.set(square, i * square.length);
  return tidy<Tensor>(() => {
    const images = Tensor.from(all, [squares.length, size, size, 3]).permute([0, 3, 1, 2]);
    return (asFloat ? images.div(255) : images.add(0)).to({ device });
  });
}

function firstOf(output: ScriptOutput): ScriptOutput {
  return Array.isArray(output) ? firstOf(output[0] ?? null) : output;
}

function disposeAll(output: ScriptOutput): void {
  if (Array.isArray(output)) output.forEach(disposeAll);
  else if (output instanceof Tensor) output.dispose();
}

function toRows(output: ScriptOutput, count: number, path: string): Float32Array[] {
  const shape = output instanceof Tensor ? output.shape : undefined;
  const [rows, size = 0, ...rest] = shape ?? [];
  if (
    !(output instanceof Tensor) ||
    rows !== count ||
    size === 0 ||
    rest.some((one) => one !== 1)
  ) {
    throw corrupt(`features [${count}, D]`, 'forward', path, shape ?? 'no tensor');
  }
  using float = output.to({ device: 'cpu', dtype: 'float32' });
  const values = float.toTypedArray();
  return Array.from({ length: count }, (_, i) => values.slice(i * size, (i + 1) * size));
}
