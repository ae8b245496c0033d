// The first example in the documentation of each npm package, as docs/guide/clients.md shows it.
import { expect, test } from 'vitest';
import { imagesOf } from './helpers/examples.js';
import { serve } from './helpers/serve.js';

const url = await serve();

test.each<[string, string, Record<string, string>, string[]]>([
  ['openai 6', 'openai for Node.js', { openai: 'openai' }, ['png 1024x1024']],
  ['openai 4', 'openai for Node.js', { openai: 'openai-4' }, ['png 1024x1024']],
  [
    'openai 6, with edits and variations,',
    'Edits and variations',
    { openai: 'openai' },
    ['png 1024x1024', 'png 1024x1024'],
  ],
  [
    'AI SDK',
    'Vercel AI SDK',
    { ai: 'ai-6', '@ai-sdk/openai-compatible': '@ai-sdk/openai-compatible' },
    ['png 1024x1024'],
  ],
  [
    'LangChain',
    'LangChain for JavaScript',
    { '@langchain/openai': '@langchain/openai' },
    ['png 1024x1024'],
  ],
])('%s runs the example', async (_name, section, packages, images) => {
  const runtime = { command: process.execPath, packages };
  expect(await imagesOf(section, 'js', url, runtime)).toEqual(images);
});
