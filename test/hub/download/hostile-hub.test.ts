import type { ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { LocalProxy } from '../../support/local-proxy.js';
import type { Fault } from '../helpers/local-hub.js';
import { base, pulledFiles, textToImage } from '../helpers/repositories.js';
import { failure, filesUnder, sorted, useHub } from '../helpers/use-hub.js';

const setup = useHub();
const decoder = 'decoder/diffusion_pytorch_model.safetensors';

/** Answers requests for a listing, or else for files, and counts them. */
function answer(path: (path: string) => boolean, respond: (response: ServerResponse) => void) {
  const counted = { requests: 0 };
  const fault: Fault = (request, response) => {
    if (!path(request.path)) return false;
    counted.requests += 1;
    respond(response);
    return true;
  };
  setup.hub.faults = [fault];
  return counted;
}

const isListing = (path: string) => path === 'api';
const once = { attempts: 1, pause: 1, window: 2000 };

describe('a listing fails if', () => {
  test('it is large, also compressed, without being kept in memory', async () => {
    const bomb = gzipSync(Buffer.alloc(2 ** 28, ' '));
    answer(isListing, (response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    });
    const before = process.memoryUsage().rss;
    const { code, message } = await failure(setup.pull(base));
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toMatch(/Cannot list .*: the response has more than 4194304 bytes$/);
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 27);
  });

  test('its pages never end', async () => {
    setup.hub.relist = () => Array.from({ length: 2000 }, (_, i) => entry(`${i}`));
    setup.hub.entriesPerPage = 1;
    const { message } = await failure(setup.pull(base));
    expect(message).toMatch(/its listing has more than 100 pages$/);
    // The first one is for the commit.
    expect(setup.hub.requests).toHaveLength(101);
  });

  test('it has too many files', async () => {
    setup.hub.relist = () => Array.from({ length: 20_001 }, (_, i) => entry(`${i}`));
    setup.hub.entriesPerPage = 1000;
    expect((await failure(setup.pull(base))).message).toMatch(/it lists more than 20000 files$/);
  });

  test('it arrives more slowly than the minimum rate', async () => {
    answer(isListing, drip);
    const { message } = await failure(setup.pull(base, { retryPolicy: { ...once, window: 300 } }));
    expect(message).toMatch(/only \d+ bytes received in 0\.3 seconds/);
  });
});

function entry(path: string) {
  return { type: 'file', path, size: 1, oid: 'a'.repeat(40) };
}

/** Sends a byte every few milliseconds, and never ends. */
function drip(response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
}

describe('a file fails if', () => {
  test('it arrives more slowly than the minimum rate', async () => {
    answer((path) => path === 'model_index.json', drip);
    const { message } = await failure(setup.pull(base, { retryPolicy: { ...once, window: 300 } }));
    expect(message).toMatch(/Cannot download model_index.json of .*: only \d+ bytes received/);
  });

  test('each attempt delivers only a few bytes', async () => {
    const attempts = answer(
      (path) => path === decoder,
      (response) => {
        response.writeHead(206, { 'content-range': rangeAt(attempts.requests) });
        response.write('abc', () => response.destroy());
      },
    );
    const policy = { attempts: 4, pause: 1, window: 2000 };
    const { message } = await failure(setup.pull(base, { retryPolicy: policy }));
    expect(message).toMatch(/Cannot download decoder.*All retries failed/);
    expect(attempts.requests).toBe(4);
  });
});

const rangeAt = (attempt: number) => `bytes ${3 * (attempt - 1)}-199999/200000`;

describe('a redirect', () => {
  /** Redirects requests for the large files. */
  const redirect = (location: string) =>
    answer(
      (path) => path === decoder,
      (response) => {
        response.writeHead(302, { location }).end();
      },
    );

  test.each<[string, string, RegExp]>([
    [
      'plain http',
      'http://files.invalid/a',
      /refers to http:\/\/files\.invalid, which is not https:/,
    ],
    ['another scheme', 'file:///etc/passwd', /refers to file:\/\/, which is not https:/],
    [
      'another loopback address',
      'http://127.0.0.2/a',
      /http:\/\/127\.0\.0\.2, which is not https:/,
    ],
    ['a private address', 'https://10.1.2.3/a', /10\.1\.2\.3 is a private address.*HF_ENDPOINT/],
    ['a link-local address', 'https://169.254.169.254/', /169\.254\.169\.254 is a private address/],
    ['an address in another notation', 'https://0xa9fea9fe/', /169\.254\.169\.254 is a private/],
    ['IPv6', 'https://[::ffff:10.0.0.1]/', /::ffff:a00:1 is a private address/],
    ['a name with a private address', 'https://localhost/a', /localhost has the private address/],
    ['no URL', 'https://', /redirects to an address that is not a URL/],
  ])('to %s is rejected at once', async (_, location, expected) => {
    const redirected = redirect(location);
    const { code, message } = await failure(setup.pull(base));
    expect(code).toBe('ERR_KARLO_DOWNLOAD');
    expect(message).toMatch(expected);
    expect(redirected.requests).toBe(1);
  });

  test('to a private address is rejected with a proxy, too', async () => {
    const proxy = await new LocalProxy().start();
    try {
      proxy.hosts.set('hub.invalid', setup.hub.url);
      setup.hub.storageLocation = 'http://hub.invalid/storage';
      const env = { ...setup.env, HF_ENDPOINT: 'http://hub.invalid', http_proxy: proxy.address };
      redirect('https://10.1.2.3/a');
      expect((await failure(setup.pull(base, { env }))).message).toMatch(/is a private address/);
      // Reached without the proxy.
      redirect('https://localhost/a');
      expect((await failure(setup.pull(base, { env }))).message).toMatch(/has the private address/);
    } finally {
      proxy.stop();
    }
  });

  test('to another port of the loopback host, or within the endpoint, is followed', async () => {
    const { path } = await setup.pull(base);
    expect(setup.hub.requests.some(({ server }) => server === 'storage')).toBe(true);
    expect(filesUnder(path)).toEqual(sorted(pulledFiles(textToImage)));
  });
});

test('the next page of a listing is not requested from a private address', async () => {
  answer(isListing, (response) => {
    response.setHeader('link', '<https://169.254.169.254/next>; rel="next"');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ _id: '1', id: base, sha: 'c'.repeat(40) }));
  });
  const listing: Fault = (_request, response) => {
    response.setHeader('link', '<https://169.254.169.254/next>; rel="next"');
    return false;
  };
  setup.hub.faults = [listing];
  expect((await failure(setup.pull(base))).message).toMatch(/169\.254\.169\.254 is a private/);
});
