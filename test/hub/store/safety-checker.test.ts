import { beforeEach, describe, expect, test } from 'vitest';
import { findChecker, findModel } from '../../../lib/hub/store/resolve.js';
import { checkerFiles } from '../helpers/repositories.js';
import { failure, filesUnder, useHub } from '../helpers/use-hub.js';

const name = 'CompVis/stable-diffusion-safety-checker';
const setup = useHub();
const all = checkerFiles();
const { 'pytorch_model.bin': pickled, ...checker } = all;

describe('pulling a safety checker', () => {
  beforeEach(() => {
    const others = { 'README.md': Buffer.from('# Checker'), 'flax_model.msgpack': Buffer.alloc(9) };
    setup.hub.repositories.set(name, { ...all, ...others });
  });

  test('downloads its files, and no others', async () => {
    const pulled = await setup.pull(name);
    expect(pulled).toMatchObject({ name, layout: 'safety-checker', state: 'complete' });
    expect(filesUnder(pulled.path)).toEqual(checker);
    expect(await findChecker(name, { env: setup.env })).toBe(pulled.path);
  });

  test('downloads the pickle if there is nothing else', async () => {
    const { 'model.safetensors': _, ...others } = checker;
    const files = { ...others, 'pytorch_model.bin': pickled as Buffer };
    setup.hub.repositories.set(name, files);
    expect(filesUnder((await setup.pull(name)).path)).toEqual(files);
  });

  test('it is not a model', async () => {
    await setup.pull(name);
    const { code, message } = await failure(findModel(name, { env: setup.env }));
    expect(code).toBe('ERR_KARLO_MODEL_NOT_FOUND');
    expect(message).toMatch('is a safety checker: use it with --safety');
  });

  test('another model of CLIP is rejected before its weights are downloaded', async () => {
    const config = Buffer.from('{"architectures": ["CLIPModel"]}');
    setup.hub.repositories.set(name, { ...all, 'config.json': config });
    const { message } = await failure(setup.pull(name));
    expect(message).toMatch(`Expected a Karlo model in ${name}`);
    expect(setup.hub.sent()).toBe(config.length);
  });

  test('a missing one is named with the command that downloads it', async () => {
    const { message } = await failure(findChecker(name, { env: setup.env }));
    expect(message).toMatch(`npx karlo pull ${name}`);
  });
});
