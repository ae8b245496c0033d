import { expected } from '../errors.js';

/**
 * The training timesteps that a loop visits.
 *
 * - `steps`: this many, spaced evenly as in diffusers' `set_timesteps`, which multiplies the stride.
 * - `timestepRespacing`: a string as in Kakao's program, which accumulates the stride: `"25"`;
 *   `"10,10,5"`, sections of equal length, lowest noise first; `"ddim25"` (an integer stride) or
 *   `"fast27"`, which Kakao's program samples with DDIM.
 *
 * The two agree for most counts, but not for all: 21 steps visit 500 with `steps`, and 499 with
 * `timestepRespacing`.
 */
export type Spacing = { readonly steps: number } | { readonly timestepRespacing: string };

/** The sections of `"fast27"`, before its noisiest timestep is moved. */
const FAST27 = [10, 10, 3, 2, 2];

/** The number of possible counts for `ddimN` that a message suggests. */
const SUGGESTED_COUNTS = 8;

/**
 * The timesteps of a loop: strictly decreasing from the noisiest, each from 0 to `trainSteps - 1`.
 *
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a spacing that {@link spacingFault} rejects
 */
export function timesteps(spacing: Spacing, trainSteps: number): number[] {
  const fault = spacingFault(spacing, trainSteps);
  const [name, value] = Object.entries(spacing)[0] ?? ['spacing', undefined];
  if (fault !== undefined) throw expected(fault, name, value);
  const rising =
    'steps' in spacing
      ? multiplied(spacing.steps, trainSteps)
      : respaced(normalise(spacing.timestepRespacing), trainSteps);
  return rising.reverse();
}

/** Whether a spacing names DDIM, which is then the default sampler. Its text may be invalid, or none. */
export function defaultsToDdim(spacing: Spacing): boolean {
  return (
    'timestepRespacing' in spacing && /^\s*(ddim|fast)/.test(String(spacing.timestepRespacing))
  );
}

/**
 * What is expected instead of a spacing that is not possible with `trainSteps` timesteps, to complete
 * "Expected … for decoder.steps"; undefined for a possible one.
 */
export function spacingFault(spacing: Spacing, trainSteps: number): string | undefined {
  if ('steps' in spacing) return countFault(spacing.steps, trainSteps);
  const text = spacing.timestepRespacing;
  return typeof text === 'string' ? textFault(normalise(text), trainSteps) : forms(trainSteps);
}

function forms(trainSteps: number): string {
  return `a string such as "25", "10,10,5", "ddim25" or "fast27", of 1 to ${trainSteps} steps,`;
}

/** Removes spaces around the numbers, which Kakao's parser accepts as well. */
function normalise(text: string): string {
  return text.replace(/\s*(^|,|$)\s*/g, '$1');
}

function countFault(count: number, trainSteps: number): string | undefined {
  const fits = Number.isInteger(count) && count >= 1 && count <= trainSteps;
  return fits ? undefined : `integer between 1 and ${trainSteps}`;
}

function textFault(text: string, trainSteps: number): string | undefined {
  if (text === 'fast27') return fits(FAST27, trainSteps) ? undefined : 'a shorter respacing';
  if (/^ddim\d+$/.test(text)) return ddimFault(Number(text.slice(4)), trainSteps);
  if (/^\d+$/.test(text) && countFault(Number(text), trainSteps) !== undefined)
    return `between 1 and ${trainSteps} steps`;
  if (!/^\d+(,\d+)*$/.test(text)) return forms(trainSteps);
  return sectionFault(text.split(',').map(Number), trainSteps);
}

function sectionFault(counts: number[], trainSteps: number): string | undefined {
  if (counts.length > trainSteps) return `at most ${trainSteps} sections`;
  if (fits(counts, trainSteps)) return undefined;
  return `sections of 1 to ${Math.floor(trainSteps / counts.length)} steps each`;
}

/** Kakao's program accepts sections without steps, which skip a part of the noise; here they are rejected. */
function fits(counts: number[], trainSteps: number): boolean {
  return sections(counts, trainSteps).every(({ size, count }) => count >= 1 && count <= size);
}

/** DDIM's stride is an integer, which only few counts allow: of 1000 timesteps, 1000, 500, 334, 250, 200 … */
function ddimFault(count: number, trainSteps: number): string | undefined {
  if (ddimStride(count, trainSteps) !== undefined) return undefined;
  const reachable = new Set<number>();
  for (let stride = 1; stride < trainSteps; stride++) reachable.add(Math.ceil(trainSteps / stride));
  const nearest = [...reachable]
    .sort((a, b) => Math.abs(a - count) - Math.abs(b - count))
    .slice(0, SUGGESTED_COUNTS)
    .sort((a, b) => a - b);
  const range = `ddim2 to ddim${trainSteps} with an integer stride`;
  return `${range} (nearest: ${nearest.map((n) => `ddim${n}`).join(', ')})`;
}

function ddimStride(count: number, trainSteps: number): number | undefined {
  for (let stride = 1; stride < trainSteps; stride++)
    if (Math.ceil(trainSteps / stride) === count) return stride;
  return undefined;
}

/**
 * For a single step, diffusers divides by zero. Here it visits the noisiest timestep, because the loop
 * starts from pure noise.
 */
function multiplied(count: number, trainSteps: number): number[] {
  if (count === 1) return [trainSteps - 1];
  const stride = (trainSteps - 1) / (count - 1);
  return Array.from({ length: count }, (_, i) => roundHalfEven(i * stride));
}

function respaced(text: string, trainSteps: number): number[] {
  if (text === 'fast27') return fast27(trainSteps);
  if (!text.startsWith('ddim')) return sectioned(text.split(',').map(Number), trainSteps);
  const stride = ddimStride(Number(text.slice(4)), trainSteps) ?? 1;
  return Array.from({ length: Math.ceil(trainSteps / stride) }, (_, i) => i * stride);
}

/** The noisiest timestep is lowered by two, which avoids artifacts of DDIM. */
function fast27(trainSteps: number): number[] {
  return [...sectioned(FAST27, trainSteps).slice(0, -1), trainSteps - 3];
}

function sectioned(counts: number[], trainSteps: number): number[] {
  return sections(counts, trainSteps).flatMap(({ start, size, count }) =>
    accumulated(count, size).map((step) => start + step),
  );
}

/** Parts of equal size; the first ones are larger by one if there is a remainder. */
function sections(counts: number[], trainSteps: number) {
  const minSize = Math.floor(trainSteps / counts.length);
  const extra = trainSteps % counts.length;
  return counts.map((count, i) => {
    const start = minSize * i + Math.min(i, extra);
    return { start, size: minSize + (i < extra ? 1 : 0), count };
  });
}

/** The rounding errors of the sum are part of the definition: multiplying would change the timesteps. */
function accumulated(count: number, size: number): number[] {
  const stride = count > 1 ? (size - 1) / (count - 1) : 1;
  let at = 0;
  return Array.from({ length: count }, () => {
    const step = roundHalfEven(at);
    at += stride;
    return step;
  });
}

/** Rounds halves to even (IEEE 754), as Python and NumPy do: 2.5 to 2, 3.5 to 4. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
