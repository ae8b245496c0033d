// What is left of an image without its content: small differences from the surroundings, in which a watermark shows.
import type { Pixels } from '../pixels.js';

/** More pixels would not make a detection better. */
const maxSide = 512;

/** Half of the window whose mean is subtracted, in pixels, without the centre. */
const radius = 5;

/** The largest difference to the centre of pixels that belong to the same surface. */
const sameSurface = 16;

/** One value for each pixel, row-major. */
export interface Residual {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/**
 * The brightness of each pixel, less the mean of those around it that differ little (the sigma filter of Lee 1983,
 * https://doi.org/10.1016/0734-189X(83)90047-6), so that edges leave nothing. Of large images, the middle.
 */
export function residualOf(pixels: Pixels): Residual {
  const { width, height, luma } = middleOf(pixels);
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = [Math.max(0, y - radius), Math.min(height - 1, y + radius)];
    for (let x = 0; x < width; x++) {
      const [left, right] = [Math.max(0, x - radius), Math.min(width - 1, x + radius)];
      const centre = luma[width * y + x] as number;
      let sum = 0;
      let count = 0;
      for (let row = top; row <= bottom; row++) {
        for (let at = width * row + left, end = width * row + right; at <= end; at++) {
          const difference = (luma[at] as number) - centre;
          if (difference > sameSurface || difference < -sameSurface) continue;
          sum += difference;
          count += 1;
        }
      }
      values[width * y + x] = -sum / count;
    }
  }
  return { width, height, values };
}

/** The luma of the middle of an image (ITU-R BT.601, as JPEG has it). */
function middleOf({ width: fullWidth, height: fullHeight, data }: Pixels) {
  const [width, height] = [Math.min(fullWidth, maxSide), Math.min(fullHeight, maxSide)];
  const left = (fullWidth - width) >> 1;
  const top = (fullHeight - height) >> 1;
  const luma = new Float32Array(width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const at = 3 * (fullWidth * (top + y) + left + x);
      const [red, green, blue] = [data[at], data[at + 1], data[at + 2]] as [number, number, number];
      luma[i] = 0.299 * red + 0.587 * green + 0.114 * blue;
    }
  }
  return { width, height, luma };
}
