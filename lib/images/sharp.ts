import { createRequire } from 'node:module';

export type { Sharp } from 'sharp';

type SharpModule = typeof import('sharp').default;

const require = createRequire(import.meta.url);
let opened: SharpModule | undefined;

/** sharp, opened: that takes 30 ms, and waits for whatever library another thread is opening. */
export function openSharp(): SharpModule {
  opened ??= require('sharp') as SharpModule;
  return opened;
}

/** A sharp pipeline. */
export const sharp: (...input: Parameters<SharpModule>) => ReturnType<SharpModule> = (...input) =>
  openSharp()(...input);
