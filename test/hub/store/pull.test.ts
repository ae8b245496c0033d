import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { PullProgress } from '../../../lib/hub/store/pull.js';
import { recogniseFolder } from '../../../lib/layouts/index.js';
import {
  base,
  bytesOf,
  type Files,
  imageVariation,
  pulledFiles,
  textToImage,
  totalOf,
  variations,
} from '../helpers/repositories.js';
import { failure, filesUnder, sorted, useHub } from '../helpers/use-hub.js';

const setup = useHub();
const extra = {
  ...Object.fromEntries(
    Object.entries(pulledFiles(imageVariation)).filter(([path]) => /^(image|feature)_/.test(path)),
  ),
};
const both = sorted({ ...pulledFiles(textToImage), ...extra });

describe('pulling one repository', () => {
  test('downloads the files that are needed, and no others', async () => {
    const pulled = await setup.pull(base);
    expect(filesUnder(pulled.path)).toEqual(sorted(pulledFiles(textToImage)));
    expect(pulled).toMatchObject({
      name: base,
      repositories: [base],
      layout: 'huggingface',
      state: 'complete',
      bytes: totalOf(pulledFiles(textToImage)),
      warnings: [],
    });
    expect(setup.hub.sent()).toBe(totalOf(pulledFiles(textToImage)));
    const layout = await recogniseFolder(pulled.path);
    expect(layout).toMatchObject({ kind: 'huggingface', missing: { textToImage: [] } });
    const folder = join(setup.store(), 'kakaobrain--karlo-v1-alpha');
    expect((await readdir(folder)).sort()).toEqual([pulled.path.slice(-12), 'model.json'].sort());
  });

  test('downloads tokenizer.json if the repository has no other tokenizer', async () => {
    const rest: Files = { ...textToImage, 'tokenizer/tokenizer.json': Buffer.from('{}') };
    delete rest['tokenizer/vocab.json'];
    delete rest['tokenizer/merges.txt'];
    setup.hub.repositories.set(base, rest);
    const { path } = await setup.pull(base);
    expect(filesUnder(path)).toEqual(sorted(pulledFiles(rest)));
    expect(await recogniseFolder(path)).toMatchObject({ missing: { textToImage: [] } });
  });

  test('reports progress for every byte, and each file once', async () => {
    const seen: PullProgress[] = [];
    await setup.pull(base, { onProgress: (progress) => seen.push(progress) });
    const fetching = seen.filter(({ phase }) => phase === 'fetch');
    const total = totalOf(pulledFiles(textToImage));
    expect(fetching.at(-1)).toMatchObject({ done: total, total });
    const amounts = fetching.map(({ done }) => done);
    expect(amounts).toEqual(amounts.toSorted((a, b) => a - b));
    const finished = fetching.flatMap((progress) => progress.finished?.path ?? []);
    expect(finished.sort()).toEqual(Object.keys(pulledFiles(textToImage)).sort());
  });

  test('a second pull downloads nothing', async () => {
    const first = await setup.pull(base);
    const before = setup.hub.requests.length;
    expect((await setup.pull(base)).path).toBe(first.path);
    expect(setup.hub.sent(before)).toBe(0);
  });

  test('downloads only a file that was deleted', async () => {
    const { path } = await setup.pull(base);
    rmSync(join(path, 'prior/config.json'));
    const before = setup.hub.requests.length;
    expect((await setup.pull(base)).path).toBe(path);
    expect(setup.hub.sent(before)).toBe(textToImage['prior/config.json']?.length);
    expect(filesUnder(path)).toEqual(sorted(pulledFiles(textToImage)));
  });

  test('a new revision replaces the old one, and unchanged files are not downloaded', async () => {
    const first = await setup.pull(base);
    const changed = { ...textToImage, 'prior/config.json': Buffer.from('{"new": true}') };
    setup.hub.repositories.set(base, changed);
    const before = setup.hub.requests.length;
    const second = await setup.pull(base);
    expect(setup.hub.sent(before)).toBe(changed['prior/config.json'].length);
    expect(filesUnder(second.path)).toEqual(sorted(pulledFiles(changed)));
    // Kept for processes that have it open. It takes little space, because unchanged files are hard links.
    expect(filesUnder(first.path)).toEqual(sorted(pulledFiles(textToImage)));
    setup.hub.repositories.set(base, { ...changed, 'prior/config.json': Buffer.from('{}') });
    await setup.pull(base);
    expect(existsSync(first.path)).toBe(false);
  });

  test('the option variant selects that variant of each weight file that has one', async () => {
    const { path } = await setup.pull(base, { variant: 'fp16' });
    const files = Object.keys(filesUnder(path));
    expect(files).toContain('decoder/diffusion_pytorch_model.fp16.safetensors');
    expect(files).not.toContain('decoder/diffusion_pytorch_model.safetensors');
    expect(files).toContain('prior/diffusion_pytorch_model.safetensors');
    const error = await failure(setup.pull(base, { variant: 'fp8' }));
    expect(error).toMatchObject({ code: 'ERR_KARLO_DOWNLOAD' });
    expect(error.message).toContain('has no weights of the variant fp8');
  });

  test('downloads a pickle if there is no safetensors file', async () => {
    const files = { ...textToImage };
    delete files['decoder/diffusion_pytorch_model.safetensors'];
    delete files['decoder/diffusion_pytorch_model.fp16.safetensors'];
    setup.hub.repositories.set(base, files);
    const names = Object.keys(filesUnder((await setup.pull(base)).path));
    expect(names.filter((name) => name.endsWith('.bin'))).toEqual([
      'decoder/diffusion_pytorch_model.bin',
    ]);
  });

  test('downloads shards with their index, and rejects an incomplete set', async () => {
    const files = { ...textToImage };
    delete files['decoder/diffusion_pytorch_model.safetensors'];
    delete files['decoder/diffusion_pytorch_model.fp16.safetensors'];
    const shard = (i: number) => `decoder/diffusion_pytorch_model-0000${i}-of-00002.safetensors`;
    const index = 'decoder/diffusion_pytorch_model.safetensors.index.json';
    Object.assign(files, { [index]: Buffer.from('{}'), [shard(1)]: bytesOf('one', 5000) });
    setup.hub.repositories.set(base, files);
    expect((await failure(setup.pull(base))).message).toContain(`shards of ${index} are missing`);
    files[shard(2)] = bytesOf('two', 5000);
    const names = Object.keys(filesUnder((await setup.pull(base)).path));
    expect(names.filter((name) => /^decoder\/d/.test(name))).toEqual([shard(1), shard(2), index]);
  });

  test('rejects a repository without a Karlo model before downloading', async () => {
    const files = { ...textToImage };
    delete files['text_proj/config.json'];
    setup.hub.repositories.set(base, files);
    const { code, message } = await failure(setup.pull(base));
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toBe(`Expected a Karlo model in ${base} but text_proj/config.json is missing`);
    expect(setup.hub.sent()).toBe(0);
  });
});

describe('pulling both repositories of a model', () => {
  test.each([
    ['text to image first', [base, variations]],
    ['image variation first', [variations, base]],
  ])('combines them and downloads shared files once: %s', async (_name, order) => {
    await setup.pull(order[0] as string);
    const before = setup.hub.requests.length;
    const { path, repositories, warnings } = await setup.pull(order[1] as string);
    expect(filesUnder(path)).toEqual(both);
    expect({ repositories, warnings }).toEqual({ repositories: [base, variations], warnings: [] });
    const first = order[0] === base ? pulledFiles(textToImage) : pulledFiles(imageVariation);
    const sums = new Set(Object.values(first).map(String));
    const fresh = Object.entries(both).filter(([, body]) => !sums.has(String(body)));
    expect(setup.hub.sent(before)).toBe(totalOf(Object.fromEntries(fresh)));
    expect(await recogniseFolder(path)).toMatchObject({
      missing: { textToImage: [], imageVariation: [] },
    });
  });

  test('the option variations pulls both, by either name', async () => {
    const { path } = await setup.pull(base, { variations: true });
    expect(filesUnder(path)).toEqual(both);
    expect(setup.hub.sent()).toBe(totalOf(both));
    expect((await setup.pull(variations, { variations: true })).path).toBe(path);
  });

  test('warns about weights that differ, and uses those of the first repository', async () => {
    const other = bytesOf('another decoder', 200_000);
    const files = { ...imageVariation, 'decoder/diffusion_pytorch_model.safetensors': other };
    setup.hub.repositories.set(variations, files);
    await setup.pull(variations);
    const { path, warnings } = await setup.pull(base);
    expect(filesUnder(path)).toEqual(both);
    expect(warnings).toEqual([expect.stringMatching(/different weights for decoder: those of/)]);
  });

  test('files that another model has are linked, not downloaded', async () => {
    const first = await setup.pull(base);
    setup.hub.repositories.set('someone/copy', textToImage);
    const before = setup.hub.requests.length;
    const second = await setup.pull('someone/copy');
    expect(setup.hub.sent(before)).toBe(0);
    const file = 'decoder/diffusion_pytorch_model.safetensors';
    const [a, b] = [first.path, second.path].map((folder) => statSync(join(folder, file)));
    expect(b?.ino).toBe(a?.ino);
  });
});

describe('a pull is rejected before any download for', () => {
  test.each(['../x', 'a/../b', 'a/b/c', '/etc', 'a\\b', 'a--b/c', '.a/b', 'a/b.', 'karlo', ''])(
    'the name %s',
    async (name) => {
      expect((await failure(setup.pull(name))).code).toBe('ERR_KARLO_INVALID_ARGUMENT');
      expect(setup.hub.requests).toEqual([]);
    },
  );

  test('an invalid revision or variant, and kakao with a revision', async () => {
    for (const options of [{ revision: 'a b' }, { variant: '../x' }]) {
      expect((await failure(setup.pull(base, options))).code).toBe('ERR_KARLO_INVALID_ARGUMENT');
    }
    expect((await failure(setup.pull('kakao', { revision: 'main' }))).code).toBe(
      'ERR_KARLO_INVALID_ARGUMENT',
    );
  });

  test('KARLO_OFFLINE, unless the model is complete', async () => {
    const offline = { ...setup.env, KARLO_OFFLINE: '1' };
    const { code, message } = await failure(setup.pull(base, { env: offline }));
    expect({ code, requests: setup.hub.requests }).toEqual({
      code: 'ERR_KARLO_DOWNLOAD',
      requests: [],
    });
    expect(message).toContain('unset KARLO_OFFLINE');
    const { path } = await setup.pull(base);
    const before = setup.hub.requests.length;
    expect((await setup.pull(base, { env: offline })).path).toBe(path);
    expect(setup.hub.requests).toHaveLength(before);
  });

  test.each(['1', 'TRUE', 'yes', 'on'])('HF_HUB_OFFLINE=%s', async (value) => {
    const env = { ...setup.env, HF_HUB_OFFLINE: value };
    for (const name of [base, 'kakao']) {
      const { code, message } = await failure(setup.pull(name, { env }));
      expect(code).toBe('ERR_KARLO_DOWNLOAD');
      expect(message).toContain('because HF_HUB_OFFLINE is set. Allow downloads: unset HF_HUB');
    }
    expect(setup.hub.requests).toEqual([]);
  });

  test('but not HF_HUB_OFFLINE=0', async () => {
    await setup.pull(base, { env: { ...setup.env, HF_HUB_OFFLINE: '0' } });
  });

  test('an invalid endpoint, and an invalid token, which is not printed', async () => {
    const endpoint = { ...setup.env, HF_ENDPOINT: 'huggingface.co' };
    expect((await failure(setup.pull(base, { env: endpoint }))).message).toContain('HF_ENDPOINT');
    const token = { ...setup.env, HF_TOKEN: 'hf_se\ncret' };
    const { message } = await failure(setup.pull(base, { env: token }));
    expect(message).toContain('HF_TOKEN');
    expect(message).not.toContain('cret');
  });

  test('a full disk', async () => {
    const needed = totalOf(pulledFiles(textToImage));
    const { code, message } = await failure(
      setup.pull(base, { freeBytes: async () => needed - 1 + 50e6 }),
    );
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toMatch(/needs 0\.1 GB but .* has 0\.1 GB free.*KARLO_CACHE/);
    expect(setup.hub.sent()).toBe(0);
    await setup.pull(base, { freeBytes: async () => needed + 50e6 });
    // A complete model needs no space.
    await setup.pull(base, { freeBytes: async () => 0 });
  });

  test('a store that is not writable', async () => {
    const file = join(setup.cache, 'file');
    writeFileSync(file, '');
    const { code, message } = await failure(
      setup.pull(base, { env: { ...setup.env, KARLO_CACHE: file } }),
    );
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toContain('export KARLO_CACHE=');
  });
});

describe('hostile listings and records', () => {
  test('cannot cause files outside of the model’s folder', async () => {
    const evil = ['../evil.json', 'decoder/../../evil.json', '/evil', 'tokenizer/..\\evil'];
    setup.hub.relist = (entries) => [
      ...entries,
      ...evil.map((path) => ({ type: 'file', path, size: 1, oid: '0'.repeat(40) })),
    ];
    const { path } = await setup.pull(base);
    expect(filesUnder(path)).toEqual(sorted(pulledFiles(textToImage)));
    const all = await readdir(setup.cache, { recursive: true });
    expect(all.filter((name) => name.includes('evil'))).toEqual([]);
  });

  test.each([
    ['a negative size', { size: -1 }],
    ['an invalid checksum', { lfs: { oid: '../x', size: 5 } }],
    ['no checksum', { oid: undefined, lfs: undefined }],
  ])('with %s are rejected', async (_name, change) => {
    setup.hub.relist = (entries) => entries.map((entry) => ({ ...entry, ...change }));
    const { code, message } = await failure(setup.pull(base));
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toContain('its response is not that of a Hugging Face hub');
  });

  test('of endless pages are rejected', async () => {
    setup.hub.entriesPerPage = 0;
    const { code, message } = await failure(setup.pull(base));
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toContain('more than 100 pages');
  });

  test('that refer outside of the store are ignored', async () => {
    const { path } = await setup.pull(base);
    const file = join(path, '../model.json');
    const record = JSON.parse(readFileSync(file, 'utf8'));
    for (const folder of ['../../..', '/', '..']) {
      writeFileSync(file, JSON.stringify({ ...record, folder }));
      const { listModels } = await import('../../../lib/hub/store/list.js');
      expect(await listModels({ env: setup.env })).toEqual([]);
    }
  });
});
