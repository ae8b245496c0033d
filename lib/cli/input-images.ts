import { basename, extname } from 'node:path';
import type { Command } from 'commander';
import { type InputLimits, limitsOf } from '../images/input-limits.js';
import { hashImage, prepareMask } from '../images/prepare.js';
import type { Recipe } from '../images/recipe.js';
import { inputsOf } from './recipe.js';
import { planOf, type Request, type RequestSettings } from './request.js';
import type { GenerationPlan } from './run-calls.js';

/** Input images in one call, unless a batch takes more: all of a call are in memory together. */
const imagesPerCall = 8;

/** What plans need of the options of a method that reads images. */
export interface ImageSettings extends RequestSettings {
  readonly batchSize: number;
  readonly limitInputPixels: number;
  readonly limitInputSide: number;
}

/** The input images of a command. */
export interface InputImages {
  readonly images: readonly string[];
  /** What the command makes of an image, as the end of a name: `photo-variation`. */
  readonly suffix: string;
  readonly mask?: string;
}

/** The plan of a command that generates images from others. Unreadable ones are reported before the model is loaded. */
export async function planOfImages(
  command: Command,
  flags: object,
  request: Request<ImageSettings>,
  { images, suffix, mask }: InputImages,
): Promise<GenerationPlan> {
  const { recipe, settings } = request;
  const limits = limitsOf(settings);
  const hashes = await hashesOf(images, limits);
  if (mask !== undefined) hashes.push(await hashMask(mask, limits));
  const names = images.map((image) => `${nameOf(image)}-${suffix}`);
  const sourcesPerCall = Math.max(imagesPerCall, settings.batchSize);
  const plan = await planOf(command, flags, request, names, sourcesPerCall);
  return { ...plan, warnings: otherInputs(recipe, hashes) };
}

/**
 * The hashes of images, which are read before the model is loaded, so that unreadable ones are reported at
 * once. One at a time, because a hundred photos would take gigabytes.
 */
export async function hashesOf(images: readonly string[], limits: InputLimits): Promise<string[]> {
  const hashes: string[] = [];
  for (const image of images) hashes.push(await hashImage(image, limits));
  return hashes;
}

async function hashMask(mask: string, limits: InputLimits): Promise<string> {
  const { hash } = await prepareMask(mask, { limits, image: { width: 1, height: 1 }, resized: [] });
  return hash;
}

/** Warns if a recipe records an input image that is not among those with these hashes. */
export function otherInputs(recipe: Recipe | undefined, hashes: readonly string[]): string[] {
  const isSame = inputsOf(recipe).every(({ sha256 }) => hashes.includes(sha256));
  return isSame ? [] : ['the recipe was made from another input image'];
}

/** The name of an image or of its inversion, without the folder and the extension. */
export function nameOf(file: string): string {
  return basename(file, extname(file)).replace(/\.inversion$/, '');
}
