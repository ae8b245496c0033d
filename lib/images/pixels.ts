import { type Tensor, tidy } from '../torch/tensor.js';

/** The 8-bit pixels of an image: RGB, row-major. */
export interface Pixels {
  /** In pixels. */
  width: number;
  /** In pixels. */
  height: number;
  /** `height * width * 3` bytes. */
  data: Uint8Array<ArrayBuffer>;
}

/**
 * Converts images in [-1, 1] to 8-bit pixels, rounded as in diffusers (Kakao's program truncates).
 * @param images `[N, 3, height, width]`, float32
 */
export function toPixels(images: Tensor): Pixels[] {
  const [count = 0, , height = 0, width = 0] = images.shape;
  using bytes = tidy(() =>
    images
      .mul(0.5)
      .add(0.5)
      .clamp(0, 1)
      .mul(255)
      .round()
      .permute([0, 2, 3, 1])
      .to({ dtype: 'uint8', device: 'cpu' }),
  );
  const all = bytes.toTypedArray();
  const length = 3 * height * width;
  return Array.from({ length: count }, (_, i) => ({
    width,
    height,
    data: all.slice(i * length, (i + 1) * length),
  }));
}

/** The bytes of RGB pixels as the values of three planes, in [-1, 1]. */
export function toPlanes(pixels: Uint8Array): Float32Array {
  const values = new Float32Array(pixels.length);
  const plane = pixels.length / 3;
  // Every operation is rounded to float32, as LibTorch does.
  for (const [i, byte] of pixels.entries()) {
    values[(i % 3) * plane + Math.floor(i / 3)] = Math.fround(byte / 127.5) - 1;
  }
  return values;
}
