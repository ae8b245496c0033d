import type { WeightDtype } from '../options/descriptions.js';
import type { Bound } from './findings.js';

/** The limits of each comparison. docs/guide/verify.md derives them. */
export interface Bounds {
  /** Of networks in each dtype, relative to the largest magnitude of an output. */
  readonly network: Readonly<Record<WeightDtype, Bound>>;
  /** Of networks in float32 on a GPU, where cuDNN's convolutions compute in TF32. */
  readonly tf32: Bound;
  /** Of images in float32 on the CPU, in levels of 0 to 255. */
  readonly image: Bound;
  /** Of images in other precisions. */
  readonly roundedImage: Bound;
}

/** The unit roundoff 2^-p of a format whose significand has p bits (Higham 2002, section 2.1). */
const unitRoundoff = { bfloat16: 2 ** -8, float16: 2 ** -11 };

export const BOUNDS: Bounds = {
  network: {
    float32: { of: 'max', value: 1e-5 },
    bfloat16: { of: 'mean', value: 4 * unitRoundoff.bfloat16 },
    float16: { of: 'mean', value: 4 * unitRoundoff.float16 },
  },
  tf32: { of: 'mean', value: 4 * unitRoundoff.float16 },
  image: { of: 'max', value: 1 },
  // What the reference's bfloat16 differs from its float32: test/fixtures/pictures/reference.json.
  roundedImage: { of: 'mean', value: 40 },
};
