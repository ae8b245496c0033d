// Image models for the AI SDK (https://ai-sdk.dev).
export type { KarloImageOptions } from './options.js';
export {
  createKarlo,
  type KarloProvider,
  karlo,
  type LocalKarloProvider,
  type LocalSettings,
  type ServerSettings,
} from './provider.js';
export type { KarloImageModel, Specification } from './types.js';
