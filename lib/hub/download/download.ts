import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { TransferWatch } from '../../util/transfer.js';
import { type Checksum, checksumName } from './checksum.js';
import { downloadError, TransientError } from './failure.js';
import { Part } from './part.js';
import { connectionError, get, type Remote } from './request.js';
import { defaultWindow, type RetryPolicy, withRetries } from './retries.js';

/** A listed file, before it is downloaded. */
export interface RemoteFile {
  /** Relative to the model's folder, with `/` as the separator. */
  path: string;
  size: number;
  checksum: Checksum;
  url: string;
}

export interface DownloadOptions {
  remote: Remote;
  signal: AbortSignal;
  retryPolicy?: RetryPolicy;
  /** Called with the number of bytes downloaded so far. */
  onBytes?: (done: number) => void;
}

/**
 * Downloads a file. The download resumes where an earlier attempt or process stopped: the data is kept in
 * `<target>.part` until the file is complete and its checksum matches. If the checksum is wrong, the
 * file is downloaded once more from the beginning.
 * @throws {KarloError} ERR_KARLO_DOWNLOAD. Partial data is kept unless its checksum is wrong
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
  const { remote, signal, retryPolicy = {}, onBytes } = options;
  onBytes?.(part.bytes);
  try {
    await withRetries(
      () => fetchRest(part, file, options),
      retryPolicy,
      signal,
      () => part.bytes,
    );
  } catch (error) {
    if (!(error instanceof TransientError)) throw error;
    const message = `Cannot download ${file.path} of ${remote.name}: ${error.message}. All retries failed. The data downloaded so far is kept: run the same command again later to resume`;
    throw downloadError(message, error);
  }
}

/** Requests the remaining bytes and appends what the response delivers. */
async function fetchRest(part: Part, file: RemoteFile, options: DownloadOptions): Promise<void> {
  if (part.isComplete) return;
  const watch = new TransferWatch(options.retryPolicy?.window ?? defaultWindow, options.signal);
  try {
    // Ranges refer to the stored bytes, so the transfer must not be compressed.
    const headers: Record<string, string> = { 'Accept-Encoding': 'identity' };
    if (part.bytes > 0) headers.Range = `bytes=${part.bytes}-`;
    const response = await get(file.url, options.remote, headers, watch.signal);
    await appendBody(part, file, response, watch, options);
  } finally {
    watch.stop();
  }
}

async function appendBody(
  part: Part,
  file: RemoteFile,
  response: Response,
  watch: TransferWatch,
  { onBytes }: DownloadOptions,
): Promise<void> {
  let surplus = part.bytes - (await startOf(part, file, response));
  for await (const chunk of chunksOf(response, watch)) {
    // A server without range support sends the whole file: skip the bytes that are already there.
    const fresh = chunk.subarray(surplus, surplus + file.size - part.bytes);
    surplus = Math.max(0, surplus - chunk.length);
    await part.append(fresh);
    onBytes?.(part.bytes);
    if (part.isComplete) return;
  }
  throw new TransientError(`the connection ended after ${part.bytes} of ${file.size} bytes`);
}

/** The offset in the file at which the response's body starts. The file must have the listed size. */
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
  throw new TransientError(`the server does not deliver the ${file.size} bytes that were listed`);
}

async function* chunksOf(response: Response, watch: TransferWatch): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response.body ?? []) {
      watch.add(chunk.length);
      yield chunk as Uint8Array;
    }
  } catch (error) {
    throw connectionError(error, new URL(response.url).host, watch.signal);
  }
}

function wrongChecksum({ path, checksum }: RemoteFile, received: string, remote: Remote): Error {
  const message = `Expected ${checksumName(checksum)} ${checksum.hex} for ${path} of ${remote.name} but received ${received}, twice. The file was deleted. A proxy or mirror changes it, or a new version has just been published: try again later, or without HF_ENDPOINT`;
  return downloadError(message);
}
