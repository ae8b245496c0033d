// Pillow's resampling filters, in the same arithmetic as libImaging/Resample.c of Pillow 13, so that the weights
// are equal.

/** A filter that weights the source pixels around the centre of a pixel of the result. */
export interface Kernel {
  /** The distance beyond which weights are 0: in source pixels, or pixels of the result if the image shrinks. */
  readonly support: number;
  weight(distance: number): number;
}

/**
 * Pillow's numbers for its filters: 0 nearest, 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming. They are the
 * values of `resample` in `preprocessor_config.json`.
 */
export const resampleFilters = [0, 1, 2, 3, 4, 5] as const;
export type ResampleFilter = (typeof resampleFilters)[number];

/** The filters but 0, which takes the nearest source pixel without weights. */
export const kernels: Readonly<Record<Exclude<ResampleFilter, 0>, Kernel>> = {
  1: { support: 3, weight: lanczos },
  2: { support: 1, weight: (distance) => Math.max(0, 1 - Math.abs(distance)) },
  3: { support: 2, weight: bicubic },
  4: { support: 0.5, weight: (distance) => (distance > -0.5 && distance <= 0.5 ? 1 : 0) },
  5: { support: 1, weight: hamming },
};

/** A sinc, windowed by its central lobe stretched to three. */
function lanczos(x: number): number {
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

/** Cubic convolution with a = -0.5 (Keys 1981). */
function bicubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

/** Hamming's window has float32 constants in Pillow. */
const [hammingConstant, hammingCosine] = [Math.fround(0.54), Math.fround(0.46)] as const;

/** A sinc, windowed by Hamming's window. */
function hamming(x: number): number {
  if (Math.abs(x) >= 1) return 0;
  return sinc(x) * (hammingConstant + hammingCosine * Math.cos(x * Math.PI));
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}
