import type { FeatureExtractorConfig } from '../models/config-clip.js';
import type { ScriptModule } from '../torch/script-module.js';
import { Tensor, tidy } from '../torch/tensor.js';
import type { Pixels } from './pictures.js';

/** How a picture becomes a square: its centre cropped, or the whole of it squashed. */
export type Fit = 'cover' | 'fill';

/**
 * CLIP image embeddings of pictures: the raw projection, not normalised. They go through the encoder
 * one by one: what it makes of a picture must not hang on its neighbours.
 * @returns `[pictures, E]`
 */
export async function encodeImages(
  pictures: readonly Pixels[],
  fit: Fit,
  config: FeatureExtractorConfig,
  encoder: ScriptModule,
  signal: AbortSignal | undefined,
): Promise<Tensor> {
  const rows = await Promise.all(
    pictures.map((picture) => {
      using pixels = tidy(() =>
        normalise(toSquare(picture, fit, config.crop_size.height), config).to({
          device: encoder.device,
        }),
      );
      return encoder.run<Tensor>('forward', [pixels], { signal });
    }),
  );
  return tidy(() => Tensor.cat(rows), rows);
}

/**
 * A picture as `[1, 3, side, side]`, 8-bit: resized as Pillow does, bicubic and antialiased, its short
 * side to `side` and its centre cropped, or squashed.
 */
export function toSquare({ data, width, height }: Pixels, fit: Fit, side: number): Tensor<'uint8'> {
  const picture = Tensor.from(data, [1, height, width, 3], 'uint8').permute([0, 3, 1, 2]);
  if (fit === 'fill') return picture.resizeBicubic(side, side);
  const short = Math.min(width, height);
  // The long side is cut off to a whole number, as in CLIPImageProcessor.
  const scaled = (size: number) => (size === short ? side : Math.trunc((side * size) / short));
  const [tall, wide] = [scaled(height), scaled(width)];
  const [top, left] = [Math.floor((tall - side) / 2), Math.floor((wide - side) / 2)];
  return picture
    .resizeBicubic(tall, wide)
    .slice(2, top, top + side)
    .slice(3, left, left + side);
}

/** 8-bit pixels to what the encoder was trained on (`image_mean`, `image_std`). */
export function normalise(
  pixels: Tensor<'uint8'>,
  { rescale_factor, image_mean, image_std }: FeatureExtractorConfig,
): Tensor<'float32'> {
  const perChannel = (values: readonly number[]) =>
    Tensor.from(Float32Array.from(values), [1, values.length, 1, 1], 'float32');
  return pixels
    .to({ dtype: 'float32' })
    .mul(rescale_factor)
    .sub(perChannel(image_mean))
    .mul(perChannel(image_std.map((std) => 1 / std)));
}
