import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Checksum, checksumName } from './checksum.js';
import { downloadError, Passing } from './failure.js';
import { Part } from './part.js';
import { get, passing, type Remote } from './request.js';
import { type Patience, withRetries } from './retries.js';
import { Stall } from './stall.js';

/** A file that is known before it is fetched. */
export interface RemoteFile {
  /** Within the model's folder, with `/`. */
  path: string;
  size: number;
  checksum: Checksum;
  url: string;
}

export interface DownloadOptions {
  remote: Remote;
  signal: AbortSignal;
  patience?: Patience;
  /** Called with the bytes that are there. */
  onBytes?: (done: number) => void;
}

/**
 * Fetches a file, from where an earlier attempt or process stopped: `<target>.part` holds what is
 * there until it is whole and has its checksum. A checksum that is wrong costs one further attempt,
 * from the beginning.
 * @throws {KarloError} ERR_KARLO_DOWNLOAD; what is there is kept unless its checksum is wrong
 */
export async function downloadFile(
  file: RemoteFile,
  target: string,
  options: DownloadOptions,
): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  const part = await Part.open(`${target}.part`, file, options.signal);
  try {
    await complete(part, file, options);
    if (part.digest() !== file.checksum.hex) {
      await part.restart();
      await complete(part, file, options);
    }
    const received = part.digest();
    if (received === file.checksum.hex) return await part.keep(target);
    await part.discard();
    throw wrongChecksum(file, received, options.remote);
  } finally {
    await part.close();
  }
}

async function complete(part: Part, file: RemoteFile, options: DownloadOptions): Promise<void> {
  const { remote, signal, patience = {}, onBytes } = options;
  onBytes?.(part.bytes);
  try {
    await withRetries(
      () => fetchRest(part, file, options),
      patience,
      signal,
      () => part.bytes,
    );
  } catch (error) {
    if (!(error instanceof Passing)) throw error;
    const message = `Fetching ${file.path} of ${remote.name} failed again and again: ${error.message}. What is there is kept: go on later with the same command`;
    throw downloadError(message, error);
  }
}

/** Appends to a part what one response brings of the rest. */
async function fetchRest(part: Part, file: RemoteFile, options: DownloadOptions): Promise<void> {
  if (part.isWhole) return;
  const stall = new Stall(options.patience?.stall ?? 30_000, options.signal);
  try {
    // Ranges count the bytes as they are stored, not as they are packed for the way.
    const headers: Record<string, string> = { 'Accept-Encoding': 'identity' };
    if (part.bytes > 0) headers.Range = `bytes=${part.bytes}-`;
    const response = await get(file.url, options.remote, headers, stall.signal);
    await appendBody(part, file, response, stall, options);
  } finally {
    stall.stop();
  }
}

async function appendBody(
  part: Part,
  file: RemoteFile,
  response: Response,
  stall: Stall,
  { onBytes }: DownloadOptions,
): Promise<void> {
  let surplus = part.bytes - (await startOf(part, file, response));
  for await (const chunk of chunksOf(response, stall)) {
    // A server that does not know ranges sends all: what is there is passed over, not lost.
    const fresh = chunk.subarray(surplus, surplus + file.size - part.bytes);
    surplus = Math.max(0, surplus - chunk.length);
    await part.append(fresh);
    onBytes?.(part.bytes);
    if (part.isWhole) return;
  }
  throw new Passing(`the connection ended after ${part.bytes} of ${file.size} bytes`);
}

/** Where a response's body begins in the file, which must have the size that was listed. */
async function startOf(part: Part, file: RemoteFile, response: Response): Promise<number> {
  const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  const partial = response.status === 206;
  const start = partial ? Number(range?.[1]) : 0;
  const size = partial ? range?.[2] : response.headers.get('content-length');
  const known = Number(size ?? file.size);
  if (response.status !== 416 && start <= part.bytes && [file.size, Number.NaN].includes(known)) {
    return start;
  }
  await response.body?.cancel();
  if (response.status === 416) await part.restart();
  throw new Passing(`the server does not offer the ${file.size} bytes that are listed`);
}

async function* chunksOf(response: Response, stall: Stall): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body ?? []) {
      stall.reset();
      yield chunk as Uint8Array;
    }
  } catch (error) {
    throw passing(error, new URL(response.url).host, stall.signal);
  }
}

function wrongChecksum({ path, checksum }: RemoteFile, received: string, remote: Remote): Error {
  const message = `Expected ${checksumName(checksum)} ${checksum.hex} for ${path} of ${remote.name} but received ${received}, twice. It was thrown away. Something on the way changes it (a proxy, a mirror), or it has just been published anew: try again later, or without HF_ENDPOINT`;
  return downloadError(message);
}
