/**
 * @typedef {object} Setting
 * @property {string} group `decoder` and `prior`: drafts, of which only that stage differs from `fast`; `presets`:
 *   images, of which all stages differ; `candidates`: drafts of `fast`, of which the best is chosen
 * @property {string} label
 * @property {number} [steps]
 * @property {string} [sampler]
 * @property {readonly [number, number]} [interval]
 * @property {import('../../lib/index.js').TextToImageOptions} options `stopAfter: 'decoder'` for drafts
 * @property {boolean} deterministic whether it solves an ODE, whose solution is known
 */

/** @typedef {'ddpm' | 'ddim' | 'dpm++' | 'unipc'} SamplerName */

const samplers = /** @type {const} */ (['ddpm', 'ddim', 'dpm++', 'unipc']);
const stages = /** @type {const} */ (['decoder', 'prior']);
export const stepCounts = [4, 6, 8, 10, 12, 15, 20, 25, 50];

/** The whole schedule, and parts of it. */
export const intervals = /** @type {const} */ ([
  [0, 1],
  [0, 0.75],
  [0.25, 1],
]);

/** The presets of `sampling`. */
const presets = /** @type {const} */ (['turbo', 'fast', 'default']);

/** Drafts from which one is chosen. */
const candidateCounts = [1, 2, 4, 8];

/** Super-resolution changes neither colours nor shapes, and would take most of the time. */
const stopAfter = 'decoder';

/** @returns {Setting[]} every point of the curves, the presets, and the best of several drafts */
export function allSettings() {
  return [
    ...presets.map(presetSetting),
    ...candidateCounts.map(candidatesSetting),
    ...stages.flatMap(curvesOf),
  ];
}

/** @param {number} candidates @returns {Setting} */
function candidatesSetting(candidates) {
  const label = `best of ${candidates}`;
  return {
    ...{ group: 'candidates', label, deterministic: false },
    options: { ...(candidates > 1 && { candidates }), stopAfter },
  };
}

/** @param {typeof presets[number]} sampling @returns {Setting} */
function presetSetting(sampling) {
  return { group: 'presets', label: sampling, options: { sampling }, deterministic: false };
}

/** The whole schedule comes first. @param {typeof stages[number]} stage */
function curvesOf(stage) {
  return intervals.flatMap((interval) =>
    samplers.flatMap((sampler) =>
      stepCounts.map((steps) => pointOf(stage, sampler, interval, steps)),
    ),
  );
}

/**
 * @param {typeof stages[number]} stage
 * @param {SamplerName} sampler
 * @param {readonly [number, number]} interval
 * @param {number} steps
 * @returns {Setting}
 */
export function pointOf(stage, sampler, interval, steps) {
  return {
    group: stage,
    label: `${stage} ${sampler} ${steps} ${interval.join('-')}`,
    ...{ steps, sampler, interval },
    options: { [stage]: { steps, sampler, guidanceInterval: interval }, stopAfter },
    deterministic: sampler !== 'ddpm',
  };
}

/**
 * The solution of the ODE that a setting approximates: 1000 steps of DDIM in its stage.
 * @param {Setting} setting
 * @returns {import('../../lib/index.js').TextToImageOptions | undefined}
 */
export function solutionOf({ group, interval, deterministic }) {
  if (!deterministic) return undefined;
  return { [group]: { timestepRespacing: 'ddim1000', guidanceInterval: interval }, stopAfter };
}
