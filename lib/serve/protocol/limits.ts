import { maxParts } from '../../images/max-parts.js';

/** Bytes of a request body that is not a form. */
export const bodyLimit = 256 * 1024;

/** Image files of a request: the parts of a mix, and a mask. */
export const maxFiles = maxParts + 1;

/** Limits of a form, without those of its files' sizes. */
export const formLimits = {
  files: maxFiles,
  fields: 40,
  parts: 40 + maxFiles,
  fieldSize: 64 * 1024,
  fieldNameSize: 100,
} as const;

/** The most bytes of a form whose files have `fileSize` together. */
export function formSize(fileSize: number): number {
  // 4 KB for the boundary and the headers of each part.
  return fileSize + formLimits.fields * formLimits.fieldSize + formLimits.parts * 4096;
}

/** Characters of a prompt, far more than the 77 tokens that the text encoder reads. */
export const maxPromptLength = 32_000;

/** Frames of an interpolation. */
export const maxFrames = 64;

/** Frames per second of an animation. */
export const frameRates = [0.1, 60] as const;

/** The most bytes of JSON with files that have `fileSize` together, as base64. */
export function jsonSize(fileSize: number): number {
  return bodyLimit + Math.ceil((4 / 3) * fileSize);
}

/** Partial images of each image. */
export const maxPartialImages = 3;
