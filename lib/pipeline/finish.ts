import type { DraftData } from '../images/draft-data.js';
import { KarloImage } from '../images/karlo-image.js';
import type { Pixels } from '../images/pixels.js';
import type { Recipe } from '../images/recipe.js';
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

/** Enlarges the drafts of one batch, and reports the images after they were checked. */
export async function finishBatch(
  session: CallSession,
  drafts: readonly DraftedImage[],
  settings: BatchSettings,
): Promise<KarloImage[]> {
  const pixels = await session.submit(finishHalf, drafts, settings);
  const images = await Promise.all(
    drafts.map(
      async ({ seed, recipe, complete = same }, i) =>
        new KarloImage(complete(pixels[i] as Pixels), seed, await recipe()),
    ),
  );
  return session.show(images, drafts);
}

function same(pixels: Pixels): Pixels {
  return pixels;
}
