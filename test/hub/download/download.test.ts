import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { downloadFile } from '../../../lib/hub/download/download.js';
import { findModel } from '../../../lib/hub/store/resolve.js';
import { LocalProxy } from '../../support/local-proxy.js';
import { type Fault, sendError } from '../helpers/local-hub.js';
import { base, bytesOf, pulledFiles, textToImage, totalOf } from '../helpers/repositories.js';
import { failure, filesUnder, sorted, useHub } from '../helpers/use-hub.js';

const setup = useHub();
const decoder = 'decoder/diffusion_pytorch_model.safetensors';
const whole = sorted(pulledFiles(textToImage));

/** Applies a fault to the first `times` responses with a file. */
function onFile(path: string, times: number, fault: Fault): Fault {
  let left = times;
  return (request, response) => {
    if (request.path !== path || request.body.length === 0 || left <= 0) return false;
    if (request.server === 'hub' && request.body.length > 1000) return false; // a redirect
    left -= 1;
    return fault(request, response);
  };
}

const drop: Fault = ({ start, body, headers }, response) => {
  const ranged = headers.range !== undefined;
  response.writeHead(ranged ? 206 : 200, {
    'content-length': body.length - start,
    ...(ranged && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
  });
  response.write(body.subarray(start, start + 60_000));
  setTimeout(() => response.destroy(), 20);
  return true;
};

const corrupt: Fault = ({ body }, response) => {
  response.writeHead(200, { 'content-length': body.length });
  response.write(bytesOf('something else', body.length));
  response.end();
  return true;
};

describe('a pull recovers from', () => {
  test('dropped connections, and continues where they were dropped', async () => {
    setup.hub.faults = [onFile(decoder, 3, drop)];
    const { path } = await setup.pull(base);
    expect(filesUnder(path)).toEqual(whole);
    const starts = setup.hub.requestsFor(decoder).map(({ start }) => start);
    expect(starts).toHaveLength(4);
    expect(starts).toEqual([0, 60_000, 120_000, 180_000]);
    expect(setup.hub.sent()).toBe(totalOf(pulledFiles(textToImage)));
  });

  test('a file that is corrupted once, and downloads it again from the start', async () => {
    setup.hub.faults = [onFile(decoder, 1, corrupt)];
    expect(filesUnder((await setup.pull(base)).path)).toEqual(whole);
    expect(setup.hub.requestsFor(decoder).map(({ start }) => start)).toEqual([0, 0]);
  });

  test.each([429, 500, 503])('responses with status %d', async (status) => {
    let left = 2;
    setup.hub.faults = [
      (_request, response) => {
        if (left-- <= 0) return false;
        response.setHeader('retry-after', '0');
        sendError(response, status);
        return true;
      },
    ];
    expect(filesUnder((await setup.pull(base)).path)).toEqual(whole);
  });

  test('a server that ignores ranges, and skips the bytes that it already has', async () => {
    const ignoreRange: Fault = ({ body }, response) => {
      response.writeHead(200, { 'content-length': body.length });
      response.write(body);
      response.end();
      return true;
    };
    const first = onFile(decoder, 1, drop);
    const second = onFile(decoder, 1, ignoreRange);
    setup.hub.faults = [
      (request, response) => first(request, response) || second(request, response),
    ];
    expect(filesUnder((await setup.pull(base)).path)).toEqual(whole);
  });
});

describe('a pull fails because of', () => {
  test('a file that is always corrupted', async () => {
    setup.hub.faults = [onFile(decoder, 99, corrupt)];
    const { code, message } = await failure(setup.pull(base));
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toMatch(/Expected SHA-256 \w{64} for decoder.*but received \w{64}, twice/);
    await expect(findModel(base, { env: setup.env })).rejects.toThrow('The download is incomplete');
  });

  test('a connection that is always dropped immediately', async () => {
    setup.hub.faults = [
      onFile(decoder, 99, (_request, response) => {
        response.destroy();
        return true;
      }),
    ];
    const { message } = await failure(setup.pull(base));
    expect(message).toMatch(/All retries failed\. The data downloaded so far is kept/);
  });

  test.each<[string, number, string | undefined, RegExp]>([
    ['missing', 404, 'RepoNotFound', /does not exist: check the name/],
    ['private or missing', 401, 'RepoNotFound', /does not exist or is private/],
    ['gated', 403, 'GatedRepo', /accept its licence at .*hf auth login, or export HF_TOKEN=hf_/],
    ['without such a revision', 404, 'RevisionNotFound', /has no such revision/],
  ])('a repository that is %s', async (_name, status, code, message) => {
    setup.hub.faults = [
      (_request, response) => {
        sendError(response, status, code);
        return true;
      },
    ];
    const error = await failure(setup.pull(base));
    expect(error.code).toBe('ERR_KARLO_DOWNLOAD');
    expect(error.message).toMatch(message);
  });

  test('an unreachable hub', async () => {
    const env = { ...setup.env, HF_ENDPOINT: 'http://127.0.0.1:9' };
    const { code, message } = await failure(
      setup.pull(base, { env, retryPolicy: { attempts: 2, pause: 1 } }),
    );
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toMatch(/Cannot list .* at /);
  });
});

test('a pull goes through the proxy of the environment', async () => {
  const proxy = await new LocalProxy().start();
  try {
    proxy.hosts.set('hub.invalid', setup.hub.url);
    setup.hub.storageLocation = 'http://hub.invalid/storage';
    const proxied = { HF_ENDPOINT: 'http://hub.invalid', http_proxy: proxy.address };
    const { path } = await setup.pull(base, { env: { ...setup.env, ...proxied } });
    expect(filesUnder(path)).toEqual(sorted(pulledFiles(textToImage)));
    expect(proxy.seen[0]).toMatch(`http://hub.invalid/api/models/${base}/revision/main`);
    expect(proxy.seen.some((url) => url.endsWith('/prior/config.json'))).toBe(true);
    const kakao = { KARLO_KAKAO_URL: 'https://files.invalid', HTTPS_PROXY: proxy.address };
    const { message } = await failure(
      setup.pull('kakao', { env: { ...setup.env, ...kakao }, retryPolicy: { attempts: 1 } }),
    );
    expect(proxy.seen.at(-1)).toBe('CONNECT files.invalid:443');
    expect(message).toMatch(/files\.invalid failed: Proxy response \(403\).*Check HTTPS_PROXY/);
  } finally {
    proxy.stop();
  }
});

describe('the token that hf auth login stores', () => {
  const tokens = () =>
    new Set(
      setup.hub.requests
        .filter(({ server }) => server === 'hub')
        .map(({ headers }) => headers.authorization),
    );
  const login = (path: string, token = 'hf_stored\n') => {
    mkdirSync(dirname(join(setup.cache, path)), { recursive: true });
    writeFileSync(join(setup.cache, path), token);
  };
  const pull = (env: NodeJS.ProcessEnv) =>
    setup.pull(base, { env: { ...setup.env, HF_HOME: join(setup.cache, 'hf'), ...env } });

  test('is used from HF_HOME', async () => {
    login('hf/token');
    await pull({});
    expect(tokens()).toEqual(new Set(['Bearer hf_stored']));
  });

  test('is used from HF_TOKEN_PATH rather than HF_HOME', async () => {
    login('hf/token', 'hf_other');
    login('elsewhere');
    await pull({ HF_TOKEN_PATH: join(setup.cache, 'elsewhere') });
    expect(tokens()).toEqual(new Set(['Bearer hf_stored']));
  });

  test.each([
    ['HOME', '.cache/huggingface/token'],
    ['XDG_CACHE_HOME', 'huggingface/token'],
  ])('is used from the default folder in %s', async (variable, path) => {
    login(path);
    await pull({ HF_HOME: '', [variable]: setup.cache });
    expect(tokens()).toEqual(new Set(['Bearer hf_stored']));
  });

  test('is overridden by HF_TOKEN, and may be missing', async () => {
    await pull({});
    expect(tokens()).toEqual(new Set([undefined]));
    login('hf/token');
    setup.hub.requests.length = 0;
    await pull({ HF_TOKEN: 'hf_given' });
    expect(tokens()).toEqual(new Set(['Bearer hf_given']));
  });

  test('is named if the hub rejects it, or if it cannot be sent or read', async () => {
    login('hf/token');
    setup.hub.faults = [
      (_request, response) => {
        sendError(response, 401);
        return true;
      },
    ];
    const path = join(setup.cache, 'hf', 'token');
    const rejected = `The hub rejects the token in ${path}: log in again: hf auth login`;
    expect((await failure(pull({}))).message).toContain(rejected);
    login('hf/token', 'hf_se cret');
    const { message } = await failure(pull({}));
    expect(message).toBe(
      `Expected a token in ${path} but received characters that a token cannot contain`,
    );
    const folder = await failure(pull({ HF_TOKEN_PATH: setup.cache }));
    expect(folder.message).toMatch(/Cannot read the token of hf auth login in .*: it is a folder/);
  });
});

test('the token is sent to the hub, but not to the storage to which it redirects', async () => {
  await setup.pull(base, { env: { ...setup.env, HF_TOKEN: 'hf_secret' } });
  const tokens = (server: string) =>
    setup.hub.requests
      .filter((request) => request.server === server)
      .map(({ headers }) => headers.authorization);
  expect(new Set(tokens('hub'))).toEqual(new Set(['Bearer hf_secret']));
  expect(new Set(tokens('storage'))).toEqual(new Set([undefined]));
});

describe('karlo pull', () => {
  const start = (...args: string[]) => {
    const child = spawn(process.execPath, ['dist/lib/cli/main.js', ...args], {
      env: { ...process.env, ...setup.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>(
      (resolve) => child.on('close', (status) => resolve({ status, stdout, stderr })),
    );
    return { child, ended };
  };

  test.each(['SIGKILL', 'SIGINT'] as const)(
    'continues a pull that was ended by %s',
    async (by) => {
      let reached = () => {};
      const halfway = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const hang: Fault = ({ body }, response) => {
        response.writeHead(200, { 'content-length': body.length });
        response.write(body.subarray(0, 100_000));
        setTimeout(reached, 200);
        return true;
      };
      setup.hub.faults = [onFile(decoder, 1, hang)];
      const { child, ended } = start('pull', base);
      await halfway;
      child.kill(by);
      const { status } = await ended;
      expect(status).toBe(by === 'SIGINT' ? 130 : null);
      const before = setup.hub.requests.length;
      const again = await start('pull', base, '--json').ended;
      expect(again.status).toBe(0);
      expect(filesUnder(JSON.parse(again.stdout).path)).toEqual(whole);
      expect(setup.hub.requestsFor(decoder).at(-1)?.start).toBe(100_000);
      expect(setup.hub.sent(before)).toBeLessThan(totalOf(whole) - 90_000);
    },
    60_000,
  );

  test('two processes that pull the same model download it once', async () => {
    const both = [start('pull', base, '--json').ended, start('pull', base, '--json').ended];
    const [one, other] = await Promise.all(both);
    expect([one?.status, other?.status]).toEqual([0, 0]);
    expect(JSON.parse(one?.stdout ?? '').path).toBe(JSON.parse(other?.stdout ?? '').path);
    expect(setup.hub.sent()).toBe(totalOf(whole));
  });

  test('karlo models lists a pulled model and deletes it', async () => {
    await setup.pull(base);
    const { stdout } = await start('models').ended;
    expect(stdout).toMatch(
      /kakaobrain\/karlo-v1-alpha +huggingface +\d+(\.\d)? KB +\d{4}-\d\d-\d\d +complete/,
    );
    const listed = JSON.parse((await start('models', '--json').ended).stdout);
    expect(listed).toMatchObject({ models: [{ name: base, state: 'complete' }] });
    expect((await start('models', 'rm', base).ended).status).toBe(0);
    expect((await start('models').ended).stdout).toContain('karlo-tiny');
    const missing = await start('a heart', '--model', base).ended;
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain(`Download it: npx karlo pull ${base}`);
    expect(setup.hub.sent()).toBe(totalOf(whole));
  });
});

describe('Kakao’s own files', () => {
  const serve = async (bodyOf: (path: string) => Buffer | undefined) => {
    const server = createServer((request, response) => {
      const body = bodyOf(request.url ?? '');
      if (!body) return response.writeHead(404).end();
      response.writeHead(200, { 'content-length': body.length });
      return response.end(request.method === 'HEAD' ? undefined : body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  };

  test('files with another MD5 than the published ones are rejected', async () => {
    const requested = new Set<string>();
    const { server, url } = await serve((path) => {
      requested.add(path);
      return bytesOf(path, 5000);
    });
    try {
      const env = { ...setup.env, KARLO_KAKAO_URL: url };
      const { code, message } = await failure(setup.pull('kakao', { env }));
      expect(code).toBe('ERR_KARLO_DOWNLOAD');
      expect(message).toMatch(/Expected MD5 \w{32} for .* of Kakao's files/);
      expect([...requested].sort()).toContain('/096db1af569b284eb76b3881534822d9/ViT-L-14.pt');
      expect(requested.size).toBe(5);
    } finally {
      server.close();
    }
  });

  test('a file with the expected MD5 is accepted', async () => {
    const body = Buffer.from('a file');
    const { server, url } = await serve(() => body);
    try {
      const target = join(setup.cache, 'file');
      const checksum = { algorithm: 'md5', hex: '8e56a63e4bd24deec9ef1ba5c22a9d8b' } as const;
      const file = { path: 'file', size: body.length, url, checksum };
      const options = {
        remote: { name: 'x', endpoint: url, fetch },
        signal: new AbortController().signal,
      };
      const { createHash } = await import('node:crypto');
      const hex = createHash('md5').update(body).digest('hex');
      await downloadFile({ ...file, checksum: { ...checksum, hex } }, target, options);
      expect(filesUnder(setup.cache)).toEqual({ file: body });
    } finally {
      server.close();
    }
  });
});
