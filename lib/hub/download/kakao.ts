import { type KakaoFile, kakaoName } from '../../layouts/kakao/files.js';
import type { RemoteFile } from './download.js';
import { downloadError, Passing } from './failure.js';
import { get, type Remote } from './request.js';
import { type Patience, withRetries } from './retries.js';
import { Stall } from './stall.js';

const publishedAt = 'https://arena.kakaocdn.net/brainrepo/models/karlo-public/v1.0.0.alpha';

/** Each file lies in a folder that is named after its MD5. */
const md5Of: Readonly<Record<KakaoFile, string>> = {
  clip: '096db1af569b284eb76b3881534822d9',
  stats: '0b62380a75e56f073e2844ab5199153d',
  prior: '85626483eaca9f581e2a78d31ff905ca',
  decoder: 'efdf6206d8ed593961593dc029a8affa',
  superRes: '4226b831ae0279020d134281f3c31590',
};

/** Kakao's own server. */
export const kakaoRemote: Remote = { name: "Kakao's files" };

/**
 * Kakao's five files, with the sizes that the server tells: nothing lists them.
 * @param options.env KARLO_KAKAO_URL is another place of the same files, e.g. a mirror
 * @throws {KarloError} ERR_KARLO_DOWNLOAD
 */
export async function listKakao(options: {
  env: NodeJS.ProcessEnv;
  signal: AbortSignal;
  patience?: Patience;
}): Promise<RemoteFile[]> {
  const { env, signal, patience = {} } = options;
  const base = (env.KARLO_KAKAO_URL || publishedAt).replace(/\/+$/, '');
  const pairs = Object.entries(md5Of) as [KakaoFile, string][];
  return Promise.all(
    pairs.map(async ([file, hex]) => {
      const path = kakaoName(file);
      const url = `${base}/${hex}/${encodeURIComponent(path)}`;
      const size = await sizeOf(path, url, signal, patience);
      return { path, size, checksum: { algorithm: 'md5', hex }, url } satisfies RemoteFile;
    }),
  );
}

async function sizeOf(
  path: string,
  url: string,
  signal: AbortSignal,
  patience: Patience,
): Promise<number> {
  try {
    return await withRetries(() => askSize(url, signal, patience), patience, signal);
  } catch (error) {
    if (!(error instanceof Passing)) throw error;
    throw downloadError(`Kakao's server does not give ${path}: ${error.message}`, error);
  }
}

/** By a request for one byte, which servers answer that refuse a HEAD. */
async function askSize(url: string, signal: AbortSignal, patience: Patience): Promise<number> {
  const stall = new Stall(patience.stall ?? 30_000, signal);
  try {
    const headers = { Range: 'bytes=0-0', 'Accept-Encoding': 'identity' };
    const response = await get(url, kakaoRemote, headers, stall.signal);
    await response.body?.cancel();
    const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1];
    const size = Number(total ?? response.headers.get('content-length') ?? Number.NaN);
    if (response.status !== 416 && Number.isSafeInteger(size)) return size;
    throw new Passing('the server does not say its size');
  } finally {
    stall.stop();
  }
}
