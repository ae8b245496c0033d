import type { DraftData } from '../images/draft-data.js';
import { KarloImage } from '../images/karlo-image.js';
import type { Pixels } from '../images/pixels.js';
import type { Recipe } from '../images/recipe.js';
import { embedWatermark } from '../images/watermark/embed.js';
import type { Half } from './batching.js';
import type { BatchSettings, CallSession, Place } from './session.js';

/** A draft that becomes an image. */
export interface DraftedImage extends DraftData, Place {
  recipe(): Promise<Recipe>;
  /** Changes the pixels of the finished image. */
  readonly complete?: ((pixels: Pixels) => Pixels) | undefined;
}

const finishHalf: Half<DraftedImage, Pixels> = (cascade, drafts, run) =>
  cascade.finish(drafts, run);

/** Enlarges the drafts of one batch, and reports the images. */
export async function finishBatch(
  session: CallSession,
  drafts: readonly DraftedImage[],
  settings: BatchSettings,
): Promise<KarloImage[]> {
  const pixels = await session.submit(finishHalf, drafts, settings);
  const images: KarloImage[] = [];
  for (const [i, { index, seed, recipe, complete = same }] of drafts.entries()) {
    const own = await recipe();
    const image = new KarloImage(marked(complete(pixels[i] as Pixels), own), seed, own);
    session.emit({ type: 'image', index, image });
    images.push(image);
  }
  return images;
}

/** Here, so that an image has its watermark wherever it is used: in `data`, in files and in requests. */
function marked(pixels: Pixels, { watermark }: Recipe): Pixels {
  return watermark ? embedWatermark(pixels, watermark) : pixels;
}

function same(pixels: Pixels): Pixels {
  return pixels;
}
