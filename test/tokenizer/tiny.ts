import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** The built-in model's tokenizer, whose vocabulary is CLIP's. */
export const FOLDER = fileURLToPath(new URL('../../models/karlo-tiny/tokenizer', import.meta.url));

/** A fixture of this folder, parsed. */
export function fixture(name: string): unknown {
  const bytes = readFileSync(new URL(`../fixtures/text/${name}`, import.meta.url));
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
}
