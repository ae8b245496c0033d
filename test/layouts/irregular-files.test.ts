import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { listModels } from '../../lib/hub/store/list.js';
import { Karlo } from '../../lib/karlo.js';
import { builtInModel } from '../../lib/layouts/built-in.js';
import { convertModel } from '../../lib/layouts/converted/convert.js';
import { openModel, recogniseFolder } from '../../lib/layouts/index.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const published = join(folder, 'published');
const converted = join(folder, 'converted');

beforeAll(async () => {
  cpSync(builtInModel('karlo-tiny'), published, { recursive: true });
  await convertModel(published, converted);
});

/** Replaces a file by a named pipe during some work. */
async function withPipe(path: string, work: () => Promise<unknown>): Promise<void> {
  renameSync(path, `${path}.moved`);
  execFileSync('mkfifo', [path]);
  try {
    await work();
  } finally {
    rmSync(path);
    renameSync(`${path}.moved`, path);
  }
}

const filesOf = (name: string) =>
  readdirSync(builtInModel('karlo-tiny'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith(name),
  );

const load = async (model: string) => {
  await using _ = await Karlo.load({ model, device: 'cpu', residency: 'resident' });
};
const rejects = (path: string, work: () => Promise<unknown>) =>
  withPipe(path, () => expectCode('ERR_KARLO_MODEL_NOT_FOUND', work, path, 'a pipe or a device'));

describe.skipIf(process.platform === 'win32')('a named pipe is rejected without waiting', () => {
  const read = [
    ...['config.json', '.safetensors', 'preprocessor_config.json'].flatMap(filesOf),
    ...['vocab.json', 'merges.txt', 'special_tokens_map.json'].flatMap(filesOf),
  ];

  test.each([...new Set(read)])('in place of %s', async (name) => {
    const path = join(published, name);
    await rejects(path, () => load(published));
    await rejects(path, () => convertModel(published, join(folder, 'never')));
    expect(existsSync(join(folder, 'never'))).toBe(false);
  });

  test.each(['karlo.json', 'prior.safetensors', 'tokenizer/vocab.json'])(
    'in place of %s of a converted folder',
    (name) => rejects(join(converted, name), () => load(converted)),
  );

  test("in place of the record of a pulled model, or of the hub's reference", async () => {
    const model = join(folder, 'cache', 'models', 'a--b');
    mkdirSync(model, { recursive: true });
    execFileSync('mkfifo', [join(model, 'model.json')]);
    expect(await listModels({ env: { KARLO_CACHE: join(folder, 'cache') } })).toEqual([]);
    const hub = join(folder, 'models--a--b');
    mkdirSync(join(hub, 'refs'), { recursive: true });
    mkdirSync(join(hub, 'snapshots', 'abc'), { recursive: true });
    execFileSync('mkfifo', [join(hub, 'refs', 'main')]);
    await expectCode('ERR_KARLO_MODEL_NOT_FOUND', () => recogniseFolder(hub), 'abc');
  });
});

test('an aborted load reads nothing', async () => {
  const signal = AbortSignal.abort(new Error('stopped'));
  for (const path of [published, converted]) {
    await expect(openModel(path, { signal })).rejects.toThrow('stopped');
  }
});
