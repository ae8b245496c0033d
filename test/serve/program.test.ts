import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { runProgram } from '../native/run-program.js';
import { karlo, urlOf } from './processes.js';
import { callers, eventsOf, short } from './start.js';

/** `karlo serve`, once it listens. */
async function serve(args: string[] = [], env: Record<string, string> = {}) {
  const program = await karlo(['serve', '--port', '0', ...args], env);
  const url = urlOf(program);
  return { ...program, url, ...callers(url) };
}

const prompt = 'a secret ring';

test('SIGTERM lets what is under way end, and exits with 0', async () => {
  const { child, post, log } = await serve();
  const response = await post({ ...short, prompt, n: 3, stream: true });
  const events = eventsOf(response);
  child.kill('SIGTERM');
  expect((await events).filter(({ type }) => type === 'image_generation.completed')).toHaveLength(
    3,
  );
  expect(await once(child, 'exit')).toEqual([0, null]);
  expect(log()).toContain('"status":200');
  expect(log()).not.toContain('secret');
});

test('a connection that asks nothing holds no end up', { timeout: 40_000 }, async () => {
  const { child, url } = await serve();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  // Until the server knows of it, too.
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('a second signal ends it at once', async () => {
  const { child, post } = await serve(['--log-prompts']);
  const cut = post({ prompt, n: 8, decoder: { steps: 200 } }).catch(() => 'cut');
  await new Promise((resolve) => setTimeout(resolve, 500));
  child.kill('SIGTERM');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(child.exitCode).toBeNull();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  expect(await cut).toBe('cut');
});

test('prompts are logged where asked, and keys come from the environment', async () => {
  const key = 'a-key-of-some-length';
  const { url, log } = await serve(['--log-prompts'], {
    KARLO_API_KEYS: `x-another-key-beside, ${key}`,
  });
  expect((await fetch(`${url}/v1/models`)).status).toBe(401);
  const response = await fetch(`${url}/v1/images/generations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...short, prompt }),
  });
  expect(response.status).toBe(200);
  expect(log()).toContain(prompt);
  expect(log()).not.toContain(key);
});

test.each<[string, string[], number, RegExp]>([
  [
    'an open address without a key',
    ['--host', '0.0.0.0'],
    1,
    /ERR_KARLO_INVALID_ARGUMENT: .*--api-key/,
  ],
  ['a port that is none', ['--port', '70000'], 2, /0 to 65535/],
  ['a short key', ['--api-key', 'short'], 1, /at least 16 characters/],
  ['no queue at all', ['--queue-size', '-1'], 2, /whole number/],
])('%s', async (_name, args, status, message) => {
  const result = await runProgram('dist/lib/cli/main.js', ['serve', ...args]);
  expect(result.status).toBe(status);
  expect(result.stderr).toMatch(message);
});
