// The one module that finds or fetches LibTorch: for the build, for `karlo setup` and for loading.

export { findLibTorch } from './find.mjs';
export { cacheFolder } from './paths.mjs';
export { LIBTORCH_VERSION } from './pins.mjs';
export { SetupError } from './setup-error.mjs';
