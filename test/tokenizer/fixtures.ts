import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

/** The tokenizer of the built-in model. Its vocabulary is CLIP's. */
export const clipTokenizerFolder = fileURLToPath(
  new URL('../../models/karlo-tiny/tokenizer', import.meta.url),
);

/** The parsed JSON of a file in test/fixtures/text. */
export function readFixture(name: string): unknown {
  const bytes = readFileSync(new URL(`../fixtures/text/${name}`, import.meta.url));
  return JSON.parse((name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString());
}
