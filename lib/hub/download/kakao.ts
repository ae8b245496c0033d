import { type KakaoFile, kakaoName } from '../../layouts/kakao/files.js';
import { checkEndpoint } from '../../util/endpoint.js';
import { proxyFetch } from '../../util/proxy-fetch.js';
import { TransferWatch } from '../../util/transfer.js';
import type { RemoteFile } from './download.js';
import { downloadError, TransientError } from './failure.js';
import { get, type Remote } from './request.js';
import { defaultWindow, type RetryPolicy, withRetries } from './retries.js';

const publishedAt = 'https://arena.kakaocdn.net/brainrepo/models/karlo-public/v1.0.0.alpha';

/** Each file is in a folder that is named after the file's MD5. */
const md5Of: Readonly<Record<KakaoFile, string>> = {
  clip: '096db1af569b284eb76b3881534822d9',
  stats: '0b62380a75e56f073e2844ab5199153d',
  prior: '85626483eaca9f581e2a78d31ff905ca',
  decoder: 'efdf6206d8ed593961593dc029a8affa',
  superRes: '4226b831ae0279020d134281f3c31590',
};

/** Kakao Brain's own server as a download source, or the mirror at `KARLO_KAKAO_URL`. */
export function kakaoRemote({ KARLO_KAKAO_URL, ...env }: NodeJS.ProcessEnv): Remote {
  const endpoint = checkEndpoint(KARLO_KAKAO_URL || publishedAt, 'KARLO_KAKAO_URL', publishedAt);
  return { name: "Kakao's files", endpoint, fetch: proxyFetch(env, endpoint) };
}

/**
 * Lists Kakao's five files. The server has no listing, so each size is requested separately.
 * @param remote the server
 * @throws {KarloError} ERR_KARLO_DOWNLOAD
 */
export async function listKakao(
  remote: Remote,
  { signal, retryPolicy = {} }: { signal: AbortSignal; retryPolicy?: RetryPolicy },
): Promise<RemoteFile[]> {
  const pairs = Object.entries(md5Of) as [KakaoFile, string][];
  return Promise.all(
    pairs.map(async ([file, hex]) => {
      const path = kakaoName(file);
      const url = `${remote.endpoint}/${hex}/${encodeURIComponent(path)}`;
      const size = await sizeOf(remote, path, url, signal, retryPolicy);
      return { path, size, checksum: { algorithm: 'md5', hex }, url } satisfies RemoteFile;
    }),
  );
}

async function sizeOf(
  remote: Remote,
  path: string,
  url: string,
  signal: AbortSignal,
  retryPolicy: RetryPolicy,
): Promise<number> {
  try {
    return await withRetries(() => askSize(remote, url, signal, retryPolicy), retryPolicy, signal);
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    throw downloadError(`Kakao's server does not provide ${path}: ${error.message}`, error);
  }
}

/** Requests one byte, because some servers reject HEAD. */
async function askSize(
  remote: Remote,
  url: string,
  signal: AbortSignal,
  retryPolicy: RetryPolicy,
): Promise<number> {
  const watch = new TransferWatch(retryPolicy.window ?? defaultWindow, signal);
  try {
    const headers = { Range: 'bytes=0-0', 'Accept-Encoding': 'identity' };
    const response = await get(url, remote, headers, watch.signal);
    await response.body?.cancel();
    const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
    const size = Number(total ?? response.headers.get('content-length') ?? Number.NaN);
    if (response.status !== 416 && Number.isSafeInteger(size)) return size;
    throw new TransientError('the server does not report the size');
  } finally {
    watch.stop();
  }
}
