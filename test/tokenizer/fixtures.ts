import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** How `writeCombinedTokenizer` writes tokenizer.json. */
export interface CombinedTokenizer {
  /** transformers 5 writes merges as pairs, version 4 as strings. */
  merges?: 'pairs' | 'strings';
  /** Changes the parsed file. */
  change?: (file: { model: Record<string, unknown> }) => void;
}

/** Writes CLIP's tokenizer as transformers 5 does: `tokenizer.json` and `tokenizer_config.json`. */
export function writeCombinedTokenizer(folder: string, options: CombinedTokenizer = {}): void {
  const { merges: form = 'pairs', change } = options;
  const read = (name: string) => readFileSync(join(clipTokenizerFolder, name), 'utf8');
  const lines = read('merges.txt').trim().split('\n').slice(1);
  const special = { single_word: false, lstrip: false, rstrip: false, special: true };
  const file = {
    version: '1.0',
    added_tokens: [
      { id: 49406, content: '<|startoftext|>', normalized: true, ...special },
      { id: 49407, content: '<|endoftext|>', normalized: false, ...special },
    ],
    model: {
      type: 'BPE',
      unk_token: '<|endoftext|>',
      continuing_subword_prefix: '',
      end_of_word_suffix: '</w>',
      vocab: JSON.parse(read('vocab.json')),
      merges: form === 'pairs' ? lines.map((line) => line.split(' ')) : lines,
    } as Record<string, unknown>,
  };
  change?.(file);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(file));
  const config = 'tokenizer_config.json';
  copyFileSync(join(clipTokenizerFolder, config), join(folder, config));
}
