// The metadata of an image file: its recipe, and the marking that says that it was generated.
import { packageVersion } from '../util/package.js';
import type { Pixels } from './pixels.js';
import type { Recipe } from './recipe.js';
import { pngKeywords, type XmpValues, xmpPacket } from './recipe-metadata.js';
import { type DigitalSourceType, digitalSourceScheme } from './source-type.js';

/** An image that is encoded: its pixels, and what the file says about it. */
export interface EncodableImage extends Pixels {
  readonly recipe: Recipe | undefined;
  readonly digitalSourceType: DigitalSourceType;
}

/** What a file contains besides the pixels. */
export interface MetadataOptions {
  readonly recipe: boolean;
  readonly marking: boolean;
}

/** The program that writes a file, as its metadata name it. */
export function creatorTool(): string {
  return `karlo ${packageVersion()}`;
}

/** The XMP properties that mark an image as generated. */
export function markingOf(digitalSourceType: DigitalSourceType) {
  return {
    digitalSourceType: `${digitalSourceScheme}${digitalSourceType}`,
    creatorTool: creatorTool(),
  };
}

/** The XMP properties of an image's file. */
export async function propertiesOf(
  { recipe, digitalSourceType }: EncodableImage,
  options: MetadataOptions,
): Promise<XmpValues> {
  const marking = options.marking ? markingOf(digitalSourceType) : {};
  if (!options.recipe || recipe === undefined) return marking;
  // Imported on use, because its validation takes a while to load.
  const { recipeJson } = await import('./recipe.js');
  return { ...marking, recipe: recipeJson(recipe) };
}

/** The texts of a PNG file that have these properties, by keyword. */
export function pngTextsOf(properties: XmpValues): Record<string, string> {
  const { recipe, creatorTool: software } = properties;
  return {
    ...(recipe && { [pngKeywords.recipe]: recipe }),
    ...(Object.keys(properties).length > 0 && { [pngKeywords.xmp]: xmpPacket(properties) }),
    ...(software && { [pngKeywords.software]: software }),
  };
}

/**
 * The XMP of a file that can store a limited number of bytes; undefined without properties. A recipe that is too large
 * is left out, with a warning.
 * @param label the name of the format
 */
export function fittingXmp(
  properties: XmpValues,
  label: string,
  maxBytes = Number.POSITIVE_INFINITY,
): string | undefined {
  if (Object.keys(properties).length === 0) return undefined;
  const xmp = xmpPacket(properties);
  const bytes = Buffer.byteLength(xmp);
  if (bytes <= maxBytes) return xmp;
  process.emitWarning(
    `The recipe was left out: it has ${bytes} bytes, and the limit for ${label} is ${maxBytes}`,
    { code: 'KARLO_RECIPE_LEFT_OUT' },
  );
  const { recipe: _, ...marking } = properties;
  return fittingXmp(marking, label, maxBytes);
}
