import { createRequire } from 'node:module';

export type { Sharp } from 'sharp';

type SharpModule = typeof import('sharp').default;

const require = createRequire(import.meta.url);
let loaded: SharpModule | undefined;

/** Loads sharp on first use, which takes 30 ms and waits for libraries that other threads are loading. */
export function loadSharp(): SharpModule {
  loaded ??= require('sharp') as SharpModule;
  return loaded;
}

/** A sharp pipeline. */
export const sharp: (...input: Parameters<SharpModule>) => ReturnType<SharpModule> = (...input) =>
  loadSharp()(...input);
