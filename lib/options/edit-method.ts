/** The methods that an image, or several, with further inputs can call. */
export type EditMethod = 'imageVariation' | 'mix' | 'edit' | 'imageToImage' | 'inpaint';

/** What decides how images are edited. */
export interface EditInputs {
  /** The number of images, at least 1. With a mask, it is 1. */
  readonly images: number;
  readonly hasMask: boolean;
  readonly hasPrompt: boolean;
  /** Whether one of the two texts of an edit is given. */
  readonly hasTexts: boolean;
  /** Whether a strength is given. */
  readonly hasStrength: boolean;
}

/** The method for the inputs: the same one for `POST /v1/images/edits` and for `karlo/ai-sdk`. */
export function editMethodOf(inputs: EditInputs): EditMethod {
  const { images, hasMask, hasPrompt, hasTexts, hasStrength } = inputs;
  if (hasMask) return 'inpaint';
  if (images > 1) return 'mix';
  if (hasTexts) return 'edit';
  return hasStrength && hasPrompt ? 'imageToImage' : 'imageVariation';
}
