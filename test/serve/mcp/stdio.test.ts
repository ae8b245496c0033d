import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { connectStdio, endlessCall, imagesOf, pixelsIn, pixelsOf, textOf } from '../helpers/mcp.js';
import { heart, model } from '../helpers/server.js';

const main = 'dist/lib/cli/main.js';
const prompt = 'a blue star';

describe('karlo mcp', () => {
  let mcp: Awaited<ReturnType<typeof connectStdio>>;
  beforeAll(async () => {
    mcp = await connectStdio(['--model', 'karlo-tiny', '--threads', '2']);
  });

  test('says who it is, and lists its tools before a model is loaded', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(mcp.client.getServerVersion()).toEqual({ name: 'karlo', title: 'Karlo', version });
    expect((await mcp.client.listTools()).tools).toHaveLength(7);
  });

  test('generates the same images as textToImage', async () => {
    const result = await mcp.call('generate', { prompt, seed: 0 });
    const same = (await model()).textToImage(prompt, { seed: 0 });
    expect(await pixelsIn(result)).toEqual(await pixelsOf(same));
    expect(textOf(result.content)).toMatch(/^1 image of karlo-tiny, 128x128, seed 0\n/);
  });

  test('varies an image', async () => {
    const image = readFileSync(heart).toString('base64');
    const same = (await model()).imageVariation(heart, { seed: 1 });
    expect(await pixelsIn(await mcp.call('vary', { image, seed: 1 }))).toEqual(
      await pixelsOf(same),
    );
  });

  test('reports progress, and stops a call that is cancelled', async () => {
    const cancel = new AbortController();
    const ended = mcp.call('generate', endlessCall, {
      signal: cancel.signal,
      onprogress: () => cancel.abort(),
    });
    await expect(ended).rejects.toThrow();
    // A single call runs at a time, so that this one would wait for minutes.
    expect(imagesOf(await mcp.call('generate', { prompt, seed: 2 }))).toHaveLength(1);
    expect(mcp.log()).not.toContain('internal_error');
  });

  test('explains a wrong argument, and logs its code without the prompt', async () => {
    const message = await mcp.failure('generate', { prompt: 'a secret', n: 0 });
    expect(message).toBe("Expected at least 1 for 'n' but received 0");
    await expect.poll(mcp.log).toContain('"code":"invalid_value"');
    expect(mcp.log()).not.toContain('secret');
  });
});

test('names a model that cannot be loaded in the result of a call', async () => {
  const { failure, client } = await connectStdio(['--model', './no-such-model']);
  expect(await failure('generate', { prompt })).toMatch(/^ERR_KARLO_\w+: .*no-such-model/);
  expect(await client.ping()).toEqual({});
});

test('allows as many images as --max-n', async () => {
  const { failure } = await connectStdio(['--max-n', '2']);
  expect(await failure('generate', { prompt, n: 3 })).toBe(
    "Expected at most 2 for 'n' but received 3",
  );
});

test.each([
  ['before any call', ''],
  ['during a call', 'generate'],
])('writes only messages, and ends with status 0 when stdin ends %s', async (_when, name) => {
  const child = spawn(process.execPath, [main, 'mcp'], { stdio: 'pipe' });
  const exit = once(child, 'close');
  let output = '';
  child.stdout.on('data', (data) => {
    output += data;
  });
  const params = { name, arguments: endlessCall, _meta: { progressToken: 1 } };
  const send = (message: object) =>
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
  if (name === '') send({ id: 1, method: 'ping' });
  else send({ id: 1, method: 'tools/call', params });
  await expect.poll(() => output).toMatch(/\n/);
  child.stdin.end();
  expect(await exit).toEqual([0, null]);
  for (const line of output.trim().split('\n')) {
    expect(JSON.parse(line)).toMatchObject({ jsonrpc: '2.0' });
  }
});
