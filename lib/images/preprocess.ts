import { Tensor } from '../torch/tensor.js';
import type { FeatureExtractorConfig } from './preprocessor-config.js';

/**
 * Converts squares to the input of CLIP's image encoder like transformers' CLIPImageProcessor: rescaled and normalised,
 * as far as the config says so.
 * @param squares RGB of `edge` by `edge` pixels each, row-major, from `toSquare`
 * @returns `[N, 3, edge, edge]` on the CPU
 */
export function preprocess(
  squares: readonly Uint8Array[],
  config: FeatureExtractorConfig,
  edge: number,
): Tensor<'float32'> {
  const tables = valueTables(config);
  const length = 3 * edge * edge;
  const values = new Float32Array(squares.length * length);
  for (const [i, square] of squares.entries()) {
    separate(square, tables, values.subarray(i * length, (i + 1) * length));
  }
  return Tensor.from(values, [squares.length, 3, edge, edge]);
}

/**
 * The result for each of the 256 values of each channel, rescaled and normalised in the same steps as the
 * reference, each rounded to float32, so that the results are equal.
 */
function valueTables(config: FeatureExtractorConfig): Float32Array[] {
  const factor = config.do_rescale ? config.rescale_factor : 1;
  const rescaled = Float32Array.from({ length: 256 }, (_, byte) => byte * factor);
  if (!config.do_normalize) return [rescaled, rescaled, rescaled];
  return config.image_mean.map((value, channel) => {
    const mean = Math.fround(value);
    const std = Math.fround(config.image_std[channel] as number);
    return rescaled.map((one) => Math.fround(one - mean) / std);
  });
}

/**
 * @param rgb pixels, row-major
 * @param tables the result of each value, for each channel
 * @param planes receives the results, one channel after another
 */
function separate(rgb: Uint8Array, tables: readonly Float32Array[], planes: Float32Array): void {
  const plane = planes.length / 3;
  for (const [channel, table] of tables.entries()) {
    for (let i = 0; i < plane; i++) {
      planes[channel * plane + i] = table[rgb[3 * i + channel] as number] as number;
    }
  }
}
