import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { runProgram } from '../support/run-program.js';
import { atEnd } from './helpers/at-end.js';
import { karlo, urlOf } from './helpers/processes.js';
import { clients, endless, eventsOf, short } from './helpers/server.js';

/** Starts `karlo serve`. */
async function serve(args: string[] = [], env: Record<string, string> = {}) {
  const program = await karlo(['serve', '--port', '0', ...args], env);
  const url = urlOf(program);
  return { ...program, url, ...clients(url) };
}

const prompt = 'a secret ring';

test('exits with 0 on SIGTERM, after running requests have ended', async () => {
  const { child, post, log } = await serve();
  const response = await post({ ...short, prompt, n: 3, stream: true });
  const events = eventsOf(response);
  // Unlike `exit`, after the last lines of the log.
  const exit = once(child, 'close');
  child.kill('SIGTERM');
  expect((await events).filter(({ type }) => type === 'image_generation.completed')).toHaveLength(
    3,
  );
  expect(await exit).toEqual([0, null]);
  expect(log()).toContain('"status":200');
  expect(log()).not.toContain('secret');
});

test('prints what it serves and where, and says goodbye', async () => {
  const { child, url, greeting, stderr } = await serve();
  expect(greeting).toBe(`karlo serves karlo-tiny at ${url}
  Page: ${url}/
  API:  ${url}/v1, for clients of OpenAI
`);
  const exit = once(child, 'close');
  child.kill('SIGTERM');
  await exit;
  expect(
    stderr().slice(greeting.length),
  ).toBe(`karlo finishes what is running, and then stops. A second signal stops it at once
karlo has stopped. Goodbye
`);
});

test('prints the public address, if there is one', async () => {
  const { greeting } = await serve(['--public-url', 'https://karlo.example']);
  expect(greeting).toContain('Page: https://karlo.example/\n');
  expect(greeting).toContain('API:  https://karlo.example/v1,');
});

test('logs a client that disconnects before its response', async () => {
  const { post, url, log } = await serve();
  const client = new AbortController();
  const response = post(endless, { signal: client.signal });
  const running = async () => (await fetch(`${url}/metrics`)).text();
  await expect.poll(running).toContain('karlo_running 1');
  expect(log()).not.toContain('disconnected');
  client.abort();
  await expect(response).rejects.toThrow();
  await expect
    .poll(log)
    .toMatch(
      /"method":"POST","route":"\/v1\/images\/generations",.*"msg":"the client disconnected"/,
    );
});

describe('the log', () => {
  const pretty = /^\d\d:\d\d:\d\d info {2}answered method=GET route=\/healthz status=200 seconds=/m;
  const hasScript = spawnSync('script', ['--version']).status === 0;

  test('is JSON in a pipe, unless --log-format is pretty', async () => {
    const [json, lines] = [await serve(), await serve(['--log-format', 'pretty'])];
    for (const { url } of [json, lines]) await fetch(`${url}/healthz`);
    await expect.poll(lines.log).toMatch(pretty);
    await expect.poll(json.log).toContain('"msg":"answered"');
    for (const line of json.log().trim().split('\n'))
      expect(JSON.parse(line)).toHaveProperty('level');
  });

  test.skipIf(!hasScript)('is pretty on a terminal, up to the goodbye after Ctrl+C', async () => {
    // exec: Ctrl+C would end a shell such as dash as well, with its own exit status.
    const line = `exec '${process.execPath}' dist/lib/cli/main.js serve --port 0`;
    const args = ['--quiet', '--return', '--command', line, '/dev/null'];
    const child = spawn('script', args, { env: { ...process.env, TERM: 'xterm', NO_COLOR: '1' } });
    atEnd(() => child.kill('SIGKILL'));
    let seen = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      seen += text;
    });
    await expect.poll(() => seen).toMatch(/at (http:\S+)/);
    await fetch(`${/at (http:\S+)/.exec(seen)?.[1]}/healthz`);
    await expect.poll(() => seen).toMatch(pretty);
    child.stdin.write('\x03');
    expect(await once(child, 'close')).toEqual([0, null]);
    expect(seen).toMatch(/karlo has stopped. Goodbye\r\n$/);
  });
});

test('exits although a client keeps an unused connection open', async () => {
  const { child, url } = await serve();
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  await once(socket, 'connect');
  // By then, the server has accepted the connection as well.
  expect((await fetch(`${url}/healthz`)).status).toBe(200);
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
});

test('exits at once on a second signal', async () => {
  const { child, url, post, log } = await serve(['--log-prompts']);
  const cut = post(endless).catch(() => 'cut');
  const running = async () => (await fetch(`${url}/metrics`)).text();
  await expect.poll(running).toContain('karlo_running 1');
  child.kill('SIGTERM');
  await expect.poll(log).toContain('draining');
  expect(child.exitCode).toBeNull();
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  expect(await cut).toBe('cut');
});

test('logs prompts with --log-prompts, and reads keys from KARLO_API_KEYS', async () => {
  const key = 'a-key-of-some-length';
  const { url, log } = await serve(['--log-prompts'], {
    KARLO_API_KEYS: `x-another-key-for-tests, ${key}`,
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
  ['an invalid port', ['--port', '70000'], 2, /0 to 65535/],
  ['a short key', ['--api-key', 'short'], 1, /at least 16 characters/],
  ['a negative queue size', ['--queue-size', '-1'], 2, /whole number/],
])('rejects %s', async (_name, args, status, message) => {
  const result = await runProgram('dist/lib/cli/main.js', ['serve', ...args]);
  expect(result.status).toBe(status);
  expect(result.stderr).toMatch(message);
});

test('names the port that another program uses, and how to choose another', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const args = ['serve', '--port', String(port)];
  const { status, stderr } = await runProgram('dist/lib/cli/main.js', args);
  other.close();
  expect({ status, stderr }).toEqual({
    status: 1,
    stderr: `ERR_KARLO_INVALID_ARGUMENT: Cannot listen on port ${port} of 127.0.0.1: another program uses it. Stop that program, or pass another --port, or --port 0 for any free one\n`,
  });
});

test('names a host that is not an address of this machine', async () => {
  const args = ['serve', '--host', '192.0.2.1', '--insecure', '--port', '0'];
  const { status, stderr } = await runProgram('dist/lib/cli/main.js', args);
  expect(status).toBe(1);
  expect(stderr).toMatch(
    /^ERR_KARLO_INVALID_ARGUMENT: Cannot listen .* does not have that address/,
  );
});

test('--help says how long keys must be', async () => {
  const { stdout } = await runProgram('dist/lib/cli/main.js', ['serve', '--help']);
  expect(stdout.replace(/\s+/g, ' ')).toContain('keys for the API, of at least 16 characters');
});
