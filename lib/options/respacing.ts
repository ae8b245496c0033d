import { expected } from '../errors.js';

/**
 * Which training timesteps a loop visits.
 *
 * - `steps`: that many, spread evenly as diffusers' `set_timesteps` does (the stride multiplied).
 * - `timestepRespacing`: the original program's string (the stride accumulated): `"25"`; sections of
 *   equal length, lowest noise first, `"10,10,5"`; `"ddim25"` (an integer stride) or `"fast27"`, both
 *   sampled with DDIM.
 *
 * The two agree for most counts, not for all: 21 steps visit 499 here and 500 there.
 */
export type Spacing = { readonly steps: number } | { readonly timestepRespacing: string };

/** What `"fast27"` stands for, before its noisiest timestep is moved. */
const FAST27 = [10, 10, 3, 2, 2];

/** How many of the counts that `ddimN` can reach a message names at most. */
const NAMED_COUNTS = 8;

/**
 * The timesteps of a loop, noisiest first, each from 0 to `trainSteps - 1`, strictly falling.
 *
 * @throws KarloError `ERR_KARLO_INVALID_ARGUMENT` for a spacing that {@link spacingFault} refuses.
 */
export function timesteps(spacing: Spacing, trainSteps: number): number[] {
  const fault = spacingFault(spacing, trainSteps);
  const [name, value] = Object.entries(spacing)[0] ?? ['spacing', undefined];
  if (fault !== undefined) throw expected(fault, name, value);
  const rising =
    'steps' in spacing
      ? multiplied(spacing.steps, trainSteps)
      : respaced(normal(spacing.timestepRespacing), trainSteps);
  return rising.reverse();
}

/** Whether a spacing samples with DDIM at eta 0 instead of ancestral DDPM. */
export function usesDdim(spacing: Spacing): boolean {
  return 'timestepRespacing' in spacing && /^(ddim|fast)/.test(normal(spacing.timestepRespacing));
}

/**
 * What was expected instead, when a spacing cannot be cut out of `trainSteps` timesteps; else
 * undefined. The answer completes "Expected … for decoder.steps".
 */
export function spacingFault(spacing: Spacing, trainSteps: number): string | undefined {
  if ('steps' in spacing) return countFault(spacing.steps, trainSteps);
  const text = spacing.timestepRespacing;
  return typeof text === 'string' ? textFault(normal(text), trainSteps) : shapes(trainSteps);
}

function shapes(trainSteps: number): string {
  return `a string such as "25", "10,10,5", "ddim25" or "fast27", of 1 to ${trainSteps} steps,`;
}

/** Spaces around the numbers are accepted, as the original's parser does. */
function normal(text: string): string {
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
  if (!/^\d+(,\d+)*$/.test(text)) return shapes(trainSteps);
  return sectionFault(text.split(',').map(Number), trainSteps);
}

function sectionFault(counts: number[], trainSteps: number): string | undefined {
  if (counts.length > trainSteps) return `at most ${trainSteps} sections`;
  if (fits(counts, trainSteps)) return undefined;
  return `sections of 1 to ${Math.floor(trainSteps / counts.length)} steps each`;
}

/** A section of no steps, which the original lets pass, would skip that part of the noise: refused. */
function fits(counts: number[], trainSteps: number): boolean {
  return sections(counts, trainSteps).every(({ size, count }) => count >= 1 && count <= size);
}

/** DDIM's stride is an integer, which few counts allow: 1000, 500, 334, 250, 200 … of 1000. */
function ddimFault(count: number, trainSteps: number): string | undefined {
  if (ddimStride(count, trainSteps) !== undefined) return undefined;
  const reachable = new Set<number>();
  for (let stride = 1; stride < trainSteps; stride++) reachable.add(Math.ceil(trainSteps / stride));
  const nearest = [...reachable]
    .sort((a, b) => Math.abs(a - count) - Math.abs(b - count))
    .slice(0, NAMED_COUNTS)
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
 * One step is an edge case that diffusers answers with a division by zero: here it is the noisiest
 * timestep, since the loop starts from pure noise.
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

/** The noisiest timestep moves down by two, against DDIM's artifacts there. */
function fast27(trainSteps: number): number[] {
  return [...sectioned(FAST27, trainSteps).slice(0, -1), trainSteps - 3];
}

function sectioned(counts: number[], trainSteps: number): number[] {
  return sections(counts, trainSteps).flatMap(({ start, size, count }) =>
    accumulated(count, size).map((step) => start + step),
  );
}

/** Equal parts of the timesteps; the first ones take what division leaves over. */
function sections(counts: number[], trainSteps: number) {
  const least = Math.floor(trainSteps / counts.length);
  const extra = trainSteps % counts.length;
  return counts.map((count, i) => {
    const start = least * i + Math.min(i, extra);
    return { start, size: least + (i < extra ? 1 : 0), count };
  });
}

/** The sum's rounding errors are part of the definition: do not multiply instead. */
function accumulated(count: number, size: number): number[] {
  const stride = count > 1 ? (size - 1) / (count - 1) : 1;
  let at = 0;
  return Array.from({ length: count }, () => {
    const step = roundHalfEven(at);
    at += stride;
    return step;
  });
}

/** IEEE 754 rounding, as Python's and NumPy's `round` have it: 2.5 gives 2, 3.5 gives 4. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
