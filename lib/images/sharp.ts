import { explained } from '../util/explain.js';
import { packageRequire } from '../util/package.js';

export type { Sharp } from 'sharp';

type SharpModule = typeof import('sharp').default;

let loaded: SharpModule | undefined;

/** Loads sharp on first use, which takes 30 ms and waits for libraries that other threads are loading. */
export function loadSharp(): SharpModule {
  loaded ??= explained(() => packageRequire()('sharp') as SharpModule);
  return loaded;
}

/** A sharp pipeline. */
export const sharp: (...input: Parameters<SharpModule>) => ReturnType<SharpModule> = (...input) =>
  loadSharp()(...input);
