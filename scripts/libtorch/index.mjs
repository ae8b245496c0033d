// The one module that finds or fetches LibTorch: for the build, for `karlo setup` and for loading.

export { describe as describeLibTorch, findLibTorch } from './find.mjs';
export { isForeign } from './machine.mjs';
export { cacheFolder, libraryFile } from './paths.mjs';
export { LIBTORCH_VERSION } from './pins.mjs';
export { SetupError } from './setup-error.mjs';
