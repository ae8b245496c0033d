import { invalidArgument } from '../errors.js';
import { explainedAsync } from '../util/explain.js';
import { runDecoding } from './decoding/run.js';
import { KarloDraft } from './draft.js';
import { type ImageFileInput, readImageBytes } from './image-bytes.js';
import { readRecipe } from './read-recipe.js';
import { isPng, pngKeywords, readPngText } from './recipe-metadata.js';

/**
 * Reads a draft that was written to a PNG file.
 * @param image a path, a `file:` URL, or the bytes of the file, also as a `Blob` or a `Response`
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is not a draft, or a damaged one
 */
export function readDraft(image: ImageFileInput): Promise<KarloDraft> {
  return explainedAsync(() => readFile(image));
}

async function readFile(image: ImageFileInput): Promise<KarloDraft> {
  const { bytes, label } = await readImageBytes(image, 'image');
  // zod takes 60 to 100 ms to import, so this waits until a draft is read.
  const { draftLimits, maxDraftBytes, parseDraft } = await import('./draft-data.js');
  const json = isPng(bytes) ? readPngText(bytes, pngKeywords.draft, maxDraftBytes) : undefined;
  const recipe = json && (await readRecipe(bytes));
  if (json === undefined || recipe === undefined) {
    const message = `Expected a draft in ${label} but it has no intact data of one: it is another image, or another program saved it again. Drafts are written with stopAfter: 'decoder', or --draft`;
    throw invalidArgument(message);
  }
  const pixels = await runDecoding('decode', bytes, { label, limits: draftLimits });
  const state = parseDraft(json.toString(), pixels, label);
  return new KarloDraft({ ...pixels, seed: recipe.seed, ...state }, recipe);
}
