export { cleanText } from './clean.js';
export type { TokenizerFiles } from './files.js';
export { ClipTokenizer, type Encoding, type TokenizerOptions } from './tokenizer.js';
