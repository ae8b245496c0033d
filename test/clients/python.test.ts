// The first example in the documentation of each Python package, as docs/guide/clients.md shows it.
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { imagesOf } from './helpers/examples.js';
import { serve } from './helpers/serve.js';

// `npm test` sets it: see scripts/build/test-tools.mjs.
const folder = process.env.KARLO_TEST_PYTHON_CLIENTS;
if (folder === undefined) throw new Error('The tests need the Python clients: run npm test');

const python = join(folder, 'bin', 'python');
const env = {
  // Otherwise, LiteLLM is compiled every time, and downloads its table of prices.
  PYTHONDONTWRITEBYTECODE: '',
  LITELLM_LOCAL_MODEL_COST_MAP: 'True',
};
const url = await serve();

test.each([
  ['openai', 'openai for Python', 'png 1024x1024'],
  ['LiteLLM', 'LiteLLM', 'png 128x128'],
  ['LangChain', 'LangChain for Python', 'png 1024x1024'],
])('%s runs the example', async (_name, section, image) => {
  const images = await imagesOf(section, 'python', url, { command: python, env });
  expect(images).toEqual([image]);
});

test('the command openai runs the example', async () => {
  const packages = join(folder, 'command-line');
  const path = [join(packages, 'bin'), process.env.PATH].join(delimiter);
  const runtime = { command: '/bin/sh', env: { ...env, PATH: path, PYTHONPATH: packages } };
  const images = await imagesOf('The command openai', 'sh', url, runtime);
  expect(images).toEqual(['png 1024x1024']);
});
