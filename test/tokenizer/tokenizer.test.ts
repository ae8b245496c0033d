import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KarloError } from '../../lib/errors.js';
import type { TokenizerFiles } from '../../lib/tokenizer/files.js';
import { splitWords } from '../../lib/tokenizer/pre-tokenize.js';
import { ClipTokenizer } from '../../lib/tokenizer/tokenizer.js';
import { expectCode } from '../support/expect-error.js';
import { clipTokenizerFolder, writeCombinedTokenizer } from './fixtures.js';

const [START, END] = [49406, 49407];
let tokenizer: ClipTokenizer;
let kakao: ClipTokenizer;
beforeAll(async () => {
  tokenizer = await ClipTokenizer.fromFolder(clipTokenizerFolder);
  kakao = await ClipTokenizer.fromFolder(clipTokenizerFolder, { clean: 'kakao', pad: 'zero' });
});

const used = ({ ids, mask }: { ids: Int32Array; mask: Uint8Array }) =>
  [...ids].filter((_, i) => mask[i]);

describe('encode', () => {
  test('adds a start and an end token and pads to 77', () => {
    const { ids, mask, truncated } = tokenizer.encode('a red heart');
    expect([...ids]).toEqual([START, 320, 736, 1936, END, ...Array(72).fill(END)]);
    expect([...mask]).toEqual([1, 1, 1, 1, 1, ...Array(72).fill(0)]);
    expect(truncated).toBeUndefined();
  });

  test('pads with 0 in the Kakao layout', () => {
    const { ids, mask } = kakao.encode('a red heart');
    expect([...ids]).toEqual([START, 320, 736, 1936, END, ...Array(72).fill(0)]);
    expect(mask.reduce((sum, bit) => sum + bit, 0)).toBe(5);
  });

  test('encodes an empty prompt as two tokens', () => {
    expect(used(tokenizer.encode(''))).toEqual([START, END]);
    expect(used(kakao.encode(' \n '))).toEqual([START, END]);
  });

  test('always returns the same shape', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        for (const one of [tokenizer, kakao]) {
          const { ids, mask, truncated } = one.encode(text);
          const length = used({ ids, mask }).length;
          expect([ids.length, mask.length, ids[0], ids[length - 1]]).toEqual([77, 77, START, END]);
          expect(mask.indexOf(0)).toBe(length === 77 ? -1 : length);
          expect(truncated === undefined || length === 77).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('rejects anything but a string', () => {
    expect(() => tokenizer.encode(5 as unknown as string)).toThrow(
      'Expected string for text but received 5',
    );
  });
});

describe('long prompts', () => {
  const heart = (count: number) => Array(count).fill('heart').join(' ');

  test('fit with up to 75 tokens', () => {
    expect(tokenizer.encode(heart(75)).truncated).toBeUndefined();
  });

  test('are cut off before the end token, and the text that was cut off is reported', () => {
    const { ids, mask, truncated } = tokenizer.encode(`${heart(75)} Blue, stars ❤️ !`);
    expect(truncated).toBe('blue , stars ❤️ !');
    expect([ids[75], ids[76], mask[76]]).toEqual([1936, END, 1]);
    expect(kakao.encode(`${heart(75)} Blue`).truncated).toBe('blue');
  });

  test('can be cut off within a word or a character', () => {
    expect(tokenizer.encode(`${heart(74)} supercalifragilistic`).truncated).toBe('califragilistic');
    expect(tokenizer.encode(`${heart(74)} 𓀀`).truncated).toMatch(/^\ufffd/);
  });
});

describe('special tokens in a prompt', () => {
  test.each([
    ['<|endoftext|>', [END]],
    ['<|ENDOFTEXT|>', [END]],
    ['a<|startoftext|>b', [320, START, 321]],
    ['!<|endoftext|>', [256, END]],
  ])('%s keeps its id', (text, ids) =>
    expect(used(tokenizer.encode(text)).slice(1, -1)).toEqual(ids),
  );
});

describe('lone surrogates', () => {
  test.each(['\ud800', 'a\udc00b', '\udc00\ud800', `${'x'.repeat(80)}\ud83d`])(
    '%j is encoded without them, or in the Kakao layout with U+FFFD',
    (text) => {
      const without = text.replace(/[\ud800-\udfff]/g, '');
      expect(used(tokenizer.encode(text))).toEqual(used(tokenizer.encode(without)));
      expect(used(kakao.encode(text))).toEqual(
        used(kakao.encode(text.replace(/[\ud800-\udfff]/g, '\ufffd'))),
      );
    },
  );
});

describe('very long input', () => {
  test.each([
    ['one word of a million letters', 'a'.repeat(1_000_000)],
    ['one word of three letters repeated', 'abca'.repeat(250_000)],
    ['a megabyte of Korean letters', '가'.repeat(350_000)],
    ['a megabyte of emoji', '😀'.repeat(250_000)],
    ['a million spaces', ' '.repeat(1_000_000)],
    ['a million ampersands', '&'.repeat(1_000_000)],
    ['letters with accents', 'e\u0301'.repeat(300_000)],
    ['a megabyte of combining marks', `a${'\u0301'.repeat(500_000)}`],
    ['a megabyte of lines', '<\n'.repeat(500_000)],
  ])('%s is encoded within seconds', { timeout: 60_000 }, (_, text) => {
    for (const one of [tokenizer, kakao]) {
      const start = performance.now();
      const { ids } = one.encode(text);
      expect(performance.now() - start).toBeLessThan(15_000);
      expect(ids).toHaveLength(77);
    }
  });

  test('runs of ten million letters are split', () => {
    const text = '가'.repeat(10_000_000);
    expect([...splitWords(`${text} ${text}!`)].map((word) => word.length)).toEqual([1e7, 1e7, 1]);
  });
});

describe('tokenizer files', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'karlo-tokenizer-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const code = async (promise: Promise<unknown>) => {
    const error = await promise.then(
      () => new Error('nothing was rejected'),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(KarloError);
    return (error as KarloError).code;
  };
  const vocabulary = '{"a":0,"a</w>":1,"aa</w>":2,"<|startoftext|>":3,"<|endoftext|>":4}';

  test('can be only a vocabulary and merges, with any line ends', async () => {
    const merges = file('merges.txt', '#version\r\na a</w>\r\n');
    const small = await ClipTokenizer.fromFiles(file('vocab.json', vocabulary), merges);
    expect([...small.encode('AA a').ids].slice(0, 5)).toEqual([3, 2, 1, 4, 4]);
    expect(small.length).toBe(77);
  });

  test('are rejected if they are missing or invalid', async () => {
    const [good, merges] = [file('vocab.json', vocabulary), file('merges.txt', '#\na a</w>')];
    expect(await code(ClipTokenizer.fromFolder(join(folder, 'none')))).toBe(
      'ERR_KARLO_MODEL_NOT_FOUND',
    );
    const broken: [string, string][] = [
      [file('list.json', '[]'), merges],
      [file('cut.json', '{"a":'), merges],
      [file('id.json', '{"a":"b"}'), merges],
      [file('special.json', '{"a":1}'), merges],
      [good, file('bad.txt', '#\na b c')],
    ];
    for (const [ids, pairs] of broken)
      expect(await code(ClipTokenizer.fromFiles(ids, pairs))).toBe('ERR_KARLO_MODEL_CORRUPT');
  });

  test.skipIf(process.platform === 'win32')(
    'are rejected if they are not regular files',
    async () => {
      const good = file('vocab.json', vocabulary);
      const [pipe, zero] = [join(folder, 'pipe'), join(folder, 'zero')];
      execFileSync('mkfifo', [pipe]);
      symlinkSync('/dev/zero', zero);
      for (const path of [folder, pipe, zero]) {
        const code = 'ERR_KARLO_MODEL_NOT_FOUND';
        await expectCode(code, () => ClipTokenizer.fromFiles(path, good), path, 'but it is a ');
        await expectCode(code, () => ClipTokenizer.fromFiles(good, path), path, 'but it is a ');
      }
    },
  );

  test('are rejected at once if they are too large', async () => {
    const path = file('large.json', '');
    truncateSync(path, 2 ** 40);
    const work = () => ClipTokenizer.fromFiles(path, path);
    await expectCode('ERR_KARLO_MODEL_CORRUPT', work, `at most ${2 ** 24} bytes for size`, path);
  });

  test.each<[string, string, () => string, string]>([
    ['tokens', 'vocab.json', () => objectOf(494_081), 'at most 494080 values'],
    [
      'tokens',
      'tokenizer.json',
      () => combinedOf(objectOf(494_081), '[]'),
      'at most 494080 tokens for the vocabulary',
    ],
    [
      'merges',
      'tokenizer.json',
      () => combinedOf('{}', `[${'0,'.repeat(1_976_320)}0]`),
      'at most 1976320 values',
    ],
    ['levels', 'vocab.json', () => '['.repeat(2 ** 23), 'at most 16 levels'],
    ['special tokens', 'tokenizer_config.json', () => specialTokens(10_001), 'at most 10000'],
  ])('are rejected with too many %s in %s', async (_, name, json, text) => {
    const many = mkdtempSync(join(folder, 'many-'));
    for (const needed of ['vocab.json', 'merges.txt']) {
      copyFileSync(join(clipTokenizerFolder, needed), join(many, needed));
    }
    if (name === 'tokenizer.json') rmSync(join(many, 'vocab.json'));
    writeFileSync(join(many, name), json());
    await expectCode('ERR_KARLO_MODEL_CORRUPT', () => ClipTokenizer.fromFolder(many), text);
  });

  test('are not read once the signal is aborted', async () => {
    const signal = AbortSignal.abort(new Error('stopped'));
    const reading = ClipTokenizer.fromFolder(clipTokenizerFolder, { signal });
    await expect(reading).rejects.toThrow('stopped');
  });

  test.each<[string, string[], string]>([
    ['merges.txt', ['vocab.json'], 'merges.txt is missing'],
    ['vocab.json', ['merges.txt'], 'vocab.json is missing'],
    ['both', [], 'vocab.json and merges.txt are missing'],
  ])('are rejected without %s, with the names of both alternatives', async (_, names, text) => {
    const incomplete = mkdtempSync(join(folder, 'incomplete-'));
    for (const name of names) {
      copyFileSync(join(clipTokenizerFolder, name), join(incomplete, name));
    }
    const work = () => ClipTokenizer.fromFolder(incomplete);
    const expected = 'Expected vocab.json and merges.txt, or tokenizer.json, in ';
    await expectCode('ERR_KARLO_MODEL_NOT_FOUND', work, expected, text);
  });

  test('may start with a byte order mark', async () => {
    const ids = file('bom.json', `\ufeff${vocabulary}`);
    const pairs = file('bom.txt', '\ufeff#version: 0.2\na a</w>\n');
    const small = await ClipTokenizer.fromFiles(ids, pairs);
    expect([...small.encode('AA a').ids].slice(0, 4)).toEqual([3, 2, 1, 4]);
  });

  test('are named if they are Git LFS pointers', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 862328\n';
    const [ids, pairs] = [file('lfs.json', pointer), file('merges.txt', '#\n')];
    const work = () => ClipTokenizer.fromFiles(ids, pairs);
    await expectCode('ERR_KARLO_MODEL_CORRUPT', work, ids, 'a Git LFS pointer');
  });

  test('are rejected if merges.txt is cut off', async () => {
    const [ids, pairs] = ['vocab.json', 'merges.txt'].map((name) =>
      join(clipTokenizerFolder, name),
    );
    const lines = readFileSync(pairs as string, 'utf8').split('\n');
    const half = file('half.txt', lines.slice(0, 20_001).join('\n'));
    const work = () => ClipTokenizer.fromFiles(ids as string, half);
    await expectCode('ERR_KARLO_MODEL_CORRUPT', work, 'at least 48894 merges', 'received 20000');
  });

  test.each<[string, (file: { model: Record<string, unknown> }) => void, string]>([
    [
      'another model',
      ({ model }) => Object.assign(model, { type: 'Unigram' }),
      'BPE for model.type',
    ],
    [
      'another suffix',
      ({ model }) => Object.assign(model, { end_of_word_suffix: null }),
      'end_of_word_suffix',
    ],
    [
      'no merges',
      ({ model }) => Object.assign(model, { merges: undefined }),
      'an array for model.merges',
    ],
    [
      'an invalid merge',
      ({ model }) => Object.assign(model, { merges: [['a']] }),
      'for model.merges[0]',
    ],
    [
      'no vocabulary',
      ({ model }) => Object.assign(model, { vocab: [] }),
      'an object for model.vocab',
    ],
    ['an invalid id', ({ model }) => Object.assign(model, { vocab: { a: -1 } }), 'an id for "a"'],
    ['fewer merges', ({ model }) => (model.merges as []).splice(9), 'at least 48894 merges'],
  ])('are rejected if tokenizer.json has %s', async (_, change, text) => {
    const combined = mkdtempSync(join(folder, 'combined-'));
    writeCombinedTokenizer(combined, { change });
    await expectCode('ERR_KARLO_MODEL_CORRUPT', () => ClipTokenizer.fromFolder(combined), text);
  });

  test('have the special tokens of tokenizer.json if they are not in the vocabulary', async () => {
    const combined = mkdtempSync(join(folder, 'special-'));
    writeCombinedTokenizer(combined, {
      change({ model }) {
        const {
          '<|startoftext|>': _start,
          '<|endoftext|>': _end,
          ...rest
        } = model.vocab as Record<string, number>;
        model.vocab = rest;
      },
    });
    rmSync(join(combined, 'tokenizer_config.json'));
    const { ids } = (await ClipTokenizer.fromFolder(combined)).encode('a red heart');
    expect([...ids.slice(0, 6)]).toEqual([START, 320, 736, 1936, END, END]);
  });

  test('configure the pad token and the length', () => {
    const files: TokenizerFiles = {
      vocabulary: new Map(Object.entries(JSON.parse(vocabulary) as Record<string, number>)),
      merges: [],
      config: { model_max_length: 4, pad_token: '<|endoftext|>', unk_token: { content: 'a' } },
      specialTokens: { pad_token: { content: 'a</w>' } },
    };
    expect([...new ClipTokenizer(files).encode('').ids]).toEqual([3, 4, 1, 1]);
    const newer = { ...files.config, added_tokens_decoder: { '4': { content: '<|endoftext|>' } } };
    expect([...new ClipTokenizer({ ...files, config: newer }).encode('').ids]).toEqual([
      3, 4, 4, 4,
    ]);
    const unlimited = { ...files, config: { model_max_length: 1e30 } };
    expect(new ClipTokenizer(unlimited).length).toBe(77);
  });
});

/** JSON of a vocabulary with so many tokens. */
function objectOf(tokens: number): string {
  return `{${Array.from({ length: tokens }, (_, id) => `"t${id}":${id}`).join()}}`;
}

/** A tokenizer.json with the JSON of its parts. */
function combinedOf(vocab: string, merges: string): string {
  return `{"model":{"type":"BPE","end_of_word_suffix":"</w>","vocab":${vocab},"merges":${merges}}}`;
}

/** A tokenizer_config.json with so many tokens. */
function specialTokens(count: number): string {
  const entries = Array.from({ length: count }, (_, id) => [id, { content: `<${id}>` }]);
  return JSON.stringify({ added_tokens_decoder: Object.fromEntries(entries) });
}
