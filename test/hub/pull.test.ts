import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PullProgress } from '../../lib/hub/store/pull.js';
import { recogniseFolder } from '../../lib/layouts/index.js';
import { failure, filesUnder, sorted, usePlace } from './place.js';
import {
  base,
  bytesOf,
  imageVariation,
  textToImage,
  totalOf,
  variations,
  wanted,
} from './repositories.js';

const place = usePlace();
const extra = {
  ...Object.fromEntries(
    Object.entries(wanted(imageVariation)).filter(([path]) => /^(image|feature)_/.test(path)),
  ),
};
const both = sorted({ ...wanted(textToImage), ...extra });

describe('one repository', () => {
  test('brings what is needed of it, checked, and nothing else', async () => {
    const pulled = await place.pull(base);
    expect(filesUnder(pulled.path)).toEqual(sorted(wanted(textToImage)));
    expect(pulled).toMatchObject({
      name: base,
      repositories: [base],
      layout: 'huggingface',
      state: 'complete',
      bytes: totalOf(wanted(textToImage)),
      warnings: [],
    });
    expect(place.hub.sent()).toBe(totalOf(wanted(textToImage)));
    const layout = await recogniseFolder(pulled.path);
    expect(layout).toMatchObject({ kind: 'huggingface', missing: { textToImage: [] } });
    const folder = join(place.store(), 'kakaobrain--karlo-v1-alpha');
    expect((await readdir(folder)).sort()).toEqual([pulled.path.slice(-12), 'model.json'].sort());
  });

  test('progress counts every byte up to the last, and each file once', async () => {
    const seen: PullProgress[] = [];
    await place.pull(base, { onProgress: (progress) => seen.push(progress) });
    const fetching = seen.filter(({ phase }) => phase === 'fetch');
    const total = totalOf(wanted(textToImage));
    expect(fetching.at(-1)).toMatchObject({ done: total, total });
    const amounts = fetching.map(({ done }) => done);
    expect(amounts).toEqual(amounts.toSorted((a, b) => a - b));
    const finished = fetching.flatMap((progress) => progress.finished?.path ?? []);
    expect(finished.sort()).toEqual(Object.keys(wanted(textToImage)).sort());
  });

  test('a second pull fetches nothing', async () => {
    const first = await place.pull(base);
    const before = place.hub.requests.length;
    expect((await place.pull(base)).path).toBe(first.path);
    expect(place.hub.sent(before)).toBe(0);
  });

  test('a file that was taken away is fetched again, and no other', async () => {
    const { path } = await place.pull(base);
    rmSync(join(path, 'prior/config.json'));
    const before = place.hub.requests.length;
    expect((await place.pull(base)).path).toBe(path);
    expect(place.hub.sent(before)).toBe(textToImage['prior/config.json']?.length);
    expect(filesUnder(path)).toEqual(sorted(wanted(textToImage)));
  });

  test('a new revision replaces the old one; what has not changed is not fetched', async () => {
    const first = await place.pull(base);
    const changed = { ...textToImage, 'prior/config.json': Buffer.from('{"new": true}') };
    place.hub.repositories.set(base, changed);
    const before = place.hub.requests.length;
    const second = await place.pull(base);
    expect(place.hub.sent(before)).toBe(changed['prior/config.json'].length);
    expect(filesUnder(second.path)).toEqual(sorted(wanted(changed)));
    // Kept for a process that has it open: it costs next to nothing.
    expect(filesUnder(first.path)).toEqual(sorted(wanted(textToImage)));
    place.hub.repositories.set(base, { ...changed, 'prior/config.json': Buffer.from('{}') });
    await place.pull(base);
    expect(existsSync(first.path)).toBe(false);
  });

  test('--variant takes that variant where there is one', async () => {
    const { path } = await place.pull(base, { variant: 'fp16' });
    const files = Object.keys(filesUnder(path));
    expect(files).toContain('decoder/diffusion_pytorch_model.fp16.safetensors');
    expect(files).not.toContain('decoder/diffusion_pytorch_model.safetensors');
    expect(files).toContain('prior/diffusion_pytorch_model.safetensors');
    const error = await failure(place.pull(base, { variant: 'fp8' }));
    expect(error).toMatchObject({ code: 'ERR_KARLO_DOWNLOAD' });
    expect(error.message).toContain('has no weights of the variant fp8');
  });

  test('pickles are taken where there are no safetensors', async () => {
    const files = { ...textToImage };
    delete files['decoder/diffusion_pytorch_model.safetensors'];
    delete files['decoder/diffusion_pytorch_model.fp16.safetensors'];
    place.hub.repositories.set(base, files);
    const names = Object.keys(filesUnder((await place.pull(base)).path));
    expect(names.filter((name) => name.endsWith('.bin'))).toEqual([
      'decoder/diffusion_pytorch_model.bin',
    ]);
  });

  test('shards come with their index, all or none', async () => {
    const files = { ...textToImage };
    delete files['decoder/diffusion_pytorch_model.safetensors'];
    delete files['decoder/diffusion_pytorch_model.fp16.safetensors'];
    const shard = (i: number) => `decoder/diffusion_pytorch_model-0000${i}-of-00002.safetensors`;
    const index = 'decoder/diffusion_pytorch_model.safetensors.index.json';
    Object.assign(files, { [index]: Buffer.from('{}'), [shard(1)]: bytesOf('one', 5000) });
    place.hub.repositories.set(base, files);
    expect((await failure(place.pull(base))).message).toContain('shards of');
    files[shard(2)] = bytesOf('two', 5000);
    const names = Object.keys(filesUnder((await place.pull(base)).path));
    expect(names.filter((name) => /^decoder\/d/.test(name))).toEqual([shard(1), shard(2), index]);
  });

  test('what is no Karlo model is refused before anything is fetched', async () => {
    const files = { ...textToImage };
    delete files['text_proj/config.json'];
    place.hub.repositories.set(base, files);
    const { code, message } = await failure(place.pull(base));
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toBe(`Expected a Karlo model in ${base} but text_proj/config.json is missing`);
    expect(place.hub.sent()).toBe(0);
  });
});

describe('the two repositories of one model', () => {
  test.each([
    ['text to image first', [base, variations]],
    ['image variation first', [variations, base]],
  ])('are combined, shared files once: %s', async (_name, order) => {
    await place.pull(order[0] as string);
    const before = place.hub.requests.length;
    const { path, repositories, warnings } = await place.pull(order[1] as string);
    expect(filesUnder(path)).toEqual(both);
    expect({ repositories, warnings }).toEqual({ repositories: [base, variations], warnings: [] });
    const first = order[0] === base ? wanted(textToImage) : wanted(imageVariation);
    const sums = new Set(Object.values(first).map(String));
    const fresh = Object.entries(both).filter(([, body]) => !sums.has(String(body)));
    expect(place.hub.sent(before)).toBe(totalOf(Object.fromEntries(fresh)));
    expect(await recogniseFolder(path)).toMatchObject({
      missing: { textToImage: [], imageVariation: [] },
    });
  });

  test('--variations brings both at once, by either name', async () => {
    const { path } = await place.pull(base, { variations: true });
    expect(filesUnder(path)).toEqual(both);
    expect(place.hub.sent()).toBe(totalOf(both));
    expect((await place.pull(variations, { variations: true })).path).toBe(path);
  });

  test('weights that differ are told, and those of the first repository used', async () => {
    const other = bytesOf('another decoder', 200_000);
    const files = { ...imageVariation, 'decoder/diffusion_pytorch_model.safetensors': other };
    place.hub.repositories.set(variations, files);
    await place.pull(variations);
    const { path, warnings } = await place.pull(base);
    expect(filesUnder(path)).toEqual(both);
    expect(warnings).toEqual([expect.stringMatching(/different weights for decoder: those of/)]);
  });

  test('the same files in another model are linked, not fetched', async () => {
    const first = await place.pull(base);
    place.hub.repositories.set('someone/copy', textToImage);
    const before = place.hub.requests.length;
    const second = await place.pull('someone/copy');
    expect(place.hub.sent(before)).toBe(0);
    const file = 'decoder/diffusion_pytorch_model.safetensors';
    const [a, b] = [first.path, second.path].map((folder) => statSync(join(folder, file)));
    expect(b?.ino).toBe(a?.ino);
  });
});

describe('refused before anything is asked', () => {
  test.each(['../x', 'a/../b', 'a/b/c', '/etc', 'a\\b', 'a--b/c', '.a/b', 'a/b.', 'karlo', ''])(
    'the name %s',
    async (name) => {
      expect((await failure(place.pull(name))).code).toBe('ERR_KARLO_INVALID_ARGUMENT');
      expect(place.hub.requests).toEqual([]);
    },
  );

  test('a strange revision or variant, and kakao with either', async () => {
    for (const options of [{ revision: 'a b' }, { variant: '../x' }]) {
      expect((await failure(place.pull(base, options))).code).toBe('ERR_KARLO_INVALID_ARGUMENT');
    }
    expect((await failure(place.pull('kakao', { revision: 'main' }))).code).toBe(
      'ERR_KARLO_INVALID_ARGUMENT',
    );
  });

  test('KARLO_OFFLINE forbids to fetch, not to have', async () => {
    const offline = { ...place.env, KARLO_OFFLINE: '1' };
    const { code, message } = await failure(place.pull(base, { env: offline }));
    expect({ code, asked: place.hub.requests }).toEqual({ code: 'ERR_KARLO_DOWNLOAD', asked: [] });
    expect(message).toContain('unset KARLO_OFFLINE');
    const { path } = await place.pull(base);
    const before = place.hub.requests.length;
    expect((await place.pull(base, { env: offline })).path).toBe(path);
    expect(place.hub.requests).toHaveLength(before);
  });

  test('an endpoint that is no address, and a token that is none, which is not shown', async () => {
    const endpoint = { ...place.env, HF_ENDPOINT: 'huggingface.co' };
    expect((await failure(place.pull(base, { env: endpoint }))).message).toContain('HF_ENDPOINT');
    const token = { ...place.env, HF_TOKEN: 'hf_se\ncret' };
    const { message } = await failure(place.pull(base, { env: token }));
    expect(message).toContain('HF_TOKEN');
    expect(message).not.toContain('cret');
  });

  test('a full disk', async () => {
    const needed = totalOf(wanted(textToImage));
    const { code, message } = await failure(
      place.pull(base, { freeBytes: async () => needed - 1 + 50e6 }),
    );
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toMatch(/needs 0\.1 GB but .* has 0\.1 GB free.*KARLO_CACHE/);
    expect(place.hub.sent()).toBe(0);
    await place.pull(base, { freeBytes: async () => needed + 50e6 });
    // What is there needs no space.
    await place.pull(base, { freeBytes: async () => 0 });
  });

  test('a store that cannot be written to', async () => {
    const file = join(place.cache, 'file');
    writeFileSync(file, '');
    const { code, message } = await failure(
      place.pull(base, { env: { ...place.env, KARLO_CACHE: file } }),
    );
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toContain('export KARLO_CACHE=');
  });
});

describe('names in the listing', () => {
  test('that lead elsewhere are never written', async () => {
    const evil = ['../evil.json', 'decoder/../../evil.json', '/evil', 'tokenizer/..\\evil'];
    place.hub.relist = (entries) => [
      ...entries,
      ...evil.map((path) => ({ type: 'file', path, size: 1, oid: '0'.repeat(40) })),
    ];
    const { path } = await place.pull(base);
    expect(filesUnder(path)).toEqual(sorted(wanted(textToImage)));
    const all = await readdir(place.cache, { recursive: true });
    expect(all.filter((name) => name.includes('evil'))).toEqual([]);
  });

  test.each([
    ['a size below zero', { size: -1 }],
    ['a checksum that is none', { lfs: { oid: '../x', size: 5 } }],
    ['no checksum', { oid: undefined, lfs: undefined }],
  ])('%s is refused', async (_name, change) => {
    place.hub.relist = (entries) => entries.map((entry) => ({ ...entry, ...change }));
    const { code, message } = await failure(place.pull(base));
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toContain('its response is not that of a Hugging Face hub');
  });

  test('a record that leads out of the store is no model', async () => {
    const { path } = await place.pull(base);
    const file = join(path, '../model.json');
    const record = JSON.parse(readFileSync(file, 'utf8'));
    for (const folder of ['../../..', '/', '..']) {
      writeFileSync(file, JSON.stringify({ ...record, folder }));
      const { listModels } = await import('../../lib/hub/store/list.js');
      expect(await listModels({ env: place.env })).toEqual([]);
    }
  });
});
