import { huggingFace } from './huggingface/index.js';
import { kakao } from './kakao/index.js';

/** The layouts of published models, in the order in which they are tried. */
export const PUBLISHED_LAYOUTS = [huggingFace, kakao] as const;
