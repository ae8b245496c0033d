import type { Step } from '../../../lib/pipeline/samplers/index.js';

/** A denoising loop over plain numbers, as the comment on `Step` has it. */
export function denoise(
  steps: readonly Step[],
  start: Float64Array,
  model: (x: Float64Array, t: number) => { output: Float64Array; variance?: Float64Array },
  { clip = 1, randn }: { clip?: number; randn?: (size: number) => Float64Array } = {},
): Float64Array[] {
  const samples: Float64Array[] = [];
  let x = start;
  for (const step of steps) {
    const { output, variance } = model(x, step.t);
    const noise = step.noise === 'none' ? undefined : randn?.(x.length);
    x = x.map((value, i) => {
      const x0 = step.predict.sample * value + step.predict.output * (output[i] as number);
      const clamped = Math.min(Math.max(x0, -clip), clip);
      const mean = step.mean.x0 * clamped + step.mean.sample * value;
      return mean + (noise?.[i] ?? 0) * deviation(step, variance?.[i]);
    });
    samples.push(x);
  }
  return samples;
}

function deviation(step: Step, variance: number | undefined): number {
  if (step.noise !== 'learned') return step.std;
  if (variance === undefined) throw new Error('a learned variance needs the further channels');
  const f = (variance + 1) / 2;
  return Math.exp((f * step.logVarianceMax + (1 - f) * step.logVarianceMin) / 2);
}
