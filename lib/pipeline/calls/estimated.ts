import type { ResolveContext } from '../../options/resolve-generation.js';
import { resolveImageVariation, resolveTextToImage } from '../../options/resolve-generation.js';
import {
  inverseOf,
  resolveEdit,
  resolveFromEmbedding,
  resolveImageToImage,
  resolveInpaint,
  resolveInterpolate,
  resolveInvert,
  resolveMix,
  resolveReconstruct,
  resolveUpscale,
} from '../../options/resolve-methods.js';
import type { CascadeSettings } from '../cascade.js';
import type { EstimatedSettings } from '../estimate.js';

/** A method whose calls can be estimated. */
export type EstimatedMethod =
  | 'textToImage'
  | 'imageVariation'
  | 'fromEmbedding'
  | 'mix'
  | 'interpolate'
  | 'edit'
  | 'invert'
  | 'reconstruct'
  | 'imageToImage'
  | 'inpaint'
  | 'upscale';

/** What a call runs. */
export interface EstimatedCall {
  readonly settings: EstimatedSettings;
  /** Stages of which a batch runs before. */
  readonly before?: readonly CascadeSettings[];
}

type Resolve = (options: object, context: ResolveContext) => EstimatedCall;

/** The steps of `invert`, if there is no inversion yet. */
const inversionSteps = 50;

/** What a call of each method runs, for one prompt, image or pair. Of a mix, one part is a prompt. */
export const ESTIMATED = {
  textToImage: (options, context) => ({ settings: resolveTextToImage('', options, context) }),
  imageVariation: (options, context) => ({ settings: resolveImageVariation(options, context) }),
  fromEmbedding: (options, context) => ({ settings: resolveFromEmbedding(options, context) }),
  mix(options, context) {
    const { prior, ...settings } = resolveMix(options, context);
    return { settings, before: [{ prior }] };
  },
  interpolate(options, context) {
    const { prior, frames, ...settings } = resolveInterpolate(options, context);
    return { settings: { ...settings, count: frames }, before: [{ prior }, { prior }] };
  },
  edit(options, context) {
    const settings = resolveEdit({ from: '', to: '', ...options }, context);
    const decoder = inverseOf(settings.decoder.spacing, settings.refinements);
    return { settings, before: settings.noise ? [{ decoder }] : [] };
  },
  invert: (options, context) => ({ settings: resolveInvert(options, context) }),
  reconstruct: (options, context) => ({
    settings: resolveReconstruct(inversionSteps, options, context),
  }),
  imageToImage: (options, context) => ({ settings: resolveImageToImage('', options, context) }),
  inpaint: (options, context) => ({ settings: resolveInpaint('', options, context) }),
  upscale: (options, context) => ({ settings: resolveUpscale(options, context) }),
} as const satisfies Record<EstimatedMethod, Resolve>;
