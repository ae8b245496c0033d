import type { Settings } from './settings';

/** A part of a mix, or an end of an interpolation: a text or an image. */
export interface TextOrImage {
  text: string;
  /** Takes precedence over the text. */
  image?: Blob | undefined;
}

export interface Part extends TextOrImage {
  /** Identifies the part while parts are moved. */
  id: number;
  weight: number;
}

export type Ends = readonly [TextOrImage, TextOrImage];

/** What a run works on besides its settings. */
export interface Inputs {
  /** The image to vary or to edit. */
  source?: Blob | undefined;
  /** An image that is transparent where the source is repainted. */
  mask?: Blob | undefined;
  /** Of a mix. */
  parts?: readonly Part[] | undefined;
  /** Of an interpolation. */
  ends?: Ends | undefined;
}

export const partLimits = { min: 2, max: 4 } as const;

export function isEmpty({ text, image }: TextOrImage): boolean {
  return image === undefined && text.trim() === '';
}

/** What the form still needs before it can be sent; undefined if it is complete. */
export function missingInput(
  settings: Settings,
  inputs: Omit<Inputs, 'source'> & { source?: unknown },
): string | undefined {
  const { kind, prompt, editMode, from, to } = settings;
  const { source, mask, parts = [], ends = [] } = inputs;
  if (kind === 'create') return prompt.trim() === '' ? 'Enter a prompt first.' : undefined;
  if (kind === 'mix') {
    if (parts.some(isEmpty)) return 'Enter a text or choose an image for each part first.';
    return parts.every(({ weight }) => weight === 0) ? 'Give a part some weight first.' : undefined;
  }
  if (kind === 'interpolate') {
    return ends.some(isEmpty) ? 'Enter a text or choose an image for both ends first.' : undefined;
  }
  if (source === undefined) return 'Choose an image first.';
  if (kind === 'vary') return undefined;
  if (editMode === 'repaint') {
    if (mask === undefined) return 'Paint over a part first.';
    return prompt.trim() === '' ? 'Describe the new image first.' : undefined;
  }
  return from.trim() === '' || to.trim() === '' ? 'Enter both texts first.' : undefined;
}
