import type { KarloImage } from '../images/karlo-image.js';
import type { Pixels } from '../images/pixels.js';
import type { Verdict } from '../images/verdict.js';

/** What a safety check is told besides the images. */
export interface SafetyContext {
  /** Whether the images are finished ones, drafts, or previews, which have no recipe. */
  readonly kind: 'image' | 'draft' | 'preview';
  /** Aborts with the call. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks images, for the options `safety`.
 * @returns the verdict on each image, in their order. If the check fails, so does the call
 */
export type SafetyCheck = (
  images: readonly KarloImage[],
  context: SafetyContext,
) => readonly Verdict[] | Promise<readonly Verdict[]>;

/** An object that checks images, such as a `SafetyChecker`. */
export interface ImageChecker {
  /** @returns the verdict on each image, in their order. If the check fails, so does the call */
  check(
    images: readonly Pixels[],
    context: SafetyContext,
  ): readonly Verdict[] | Promise<readonly Verdict[]>;
}

/**
 * Checks a text that a call reads: a prompt, a negative prompt, or a text of an edit.
 * @returns whether it is allowed. Otherwise the call rejects with ERR_KARLO_UNSAFE
 */
export type PromptFilter = (
  prompt: string,
  context: { readonly signal?: AbortSignal | undefined },
) => boolean | Promise<boolean>;

/** How the prompts of a call are checked. */
export interface PromptSafetyOptions {
  /** Returns whether a prompt is allowed. Default: that of `Karlo.load`. */
  readonly promptFilter?: PromptFilter | undefined;
}

/** How the images of a call are checked. */
export interface ImageSafetyOptions {
  /** Checks the images, drafts and previews of the call. Default: that of `Karlo.load`. */
  readonly safety?: SafetyCheck | ImageChecker | undefined;
}

/** How the prompts and images of a call are checked. */
export interface SafetyOptions extends PromptSafetyOptions, ImageSafetyOptions {}
