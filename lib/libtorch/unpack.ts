import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { KarloError } from '../errors.js';
import { isSystemError } from '../util/file-errors.js';
import { setupRefused } from './setup-errors.js';

const openZip: (path: string, options: yauzl.Options) => Promise<yauzl.ZipFile> = promisify(
  yauzl.open,
);

const paths: readonly (readonly [RegExp, string])[] = [
  [/^(?:lib)?torch\/(lib\/[^/]+|include\/.+)$/, '$1'],
  [/^nvidia\/[^/]+\/(lib\/[^/]+)$/, '$1'],
  [/^[^/]+\.dist-info\/(licenses\/.+)$/, '$1'],
  [/^torch-[^/]+\.dist-info\/(LICENSE|NOTICE)$/, 'licenses/$1'], // in the wheel for Windows
  [/^msvc_runtime-[^/]+\.data\/data\/Scripts\/([^/]+\.dll)$/, 'lib/$1'],
  [/^(?:libtorch\/(build-version)|torch\/(version\.py))$/, '$1$2'],
];

/**
 * The path in a LibTorch folder of an entry of LibTorch's zip or of a wheel; undefined if it has no
 * place there.
 */
export function unpackedPath(name: string): string | undefined {
  const rule = paths.find(([pattern]) => pattern.test(name));
  return rule && name.replace(...rule);
}

export interface UnpackOptions {
  wants: (name: string) => boolean;
  /** Called with the size of each chunk that was unpacked. */
  onBytes: (bytes: number) => void;
  signal: AbortSignal;
}

/**
 * Unpacks the entries that are wanted into a LibTorch folder. yauzl rejects paths that leave the
 * folder, and entries that are not as large as the zip's directory says; the checksum is checked here.
 * @throws {KarloError} ERR_KARLO_SETUP for a damaged archive
 */
export async function unpack(
  archive: string,
  folder: string,
  { wants, onBytes, signal }: UnpackOptions,
): Promise<void> {
  await forEachEntry(archive, async (zip, entry) => {
    signal.throwIfAborted();
    const path = wants(entry.fileName) ? unpackedPath(entry.fileName) : undefined;
    if (path === undefined || entry.fileName.endsWith('/')) return;
    const target = join(folder, ...path.split('/'));
    await mkdir(dirname(target), { recursive: true });
    const { stream, checksum } = await openEntry(zip, entry, onBytes);
    await pipeline(stream, createWriteStream(target), { signal });
    if (checksum() !== entry.crc32) throw corrupt(archive, `${entry.fileName} fails its checksum`);
  });
}

export interface ZipContents {
  entries: { name: string; bytes: number }[];
  /** The text of the entry that was looked for. */
  text: string | undefined;
}

/** Lists the entries of a zip file, and reads a small text file whose name matches `pattern`. */
export async function inspectZip(archive: string, pattern: RegExp): Promise<ZipContents> {
  const entries: ZipContents['entries'] = [];
  let text: string | undefined;
  await forEachEntry(archive, async (zip, entry) => {
    entries.push({ name: entry.fileName, bytes: entry.uncompressedSize });
    if (!pattern.test(entry.fileName) || entry.uncompressedSize > 1e5) return;
    const { stream } = await openEntry(zip, entry, () => {});
    text = Buffer.concat(await stream.toArray()).toString('utf8');
  });
  return { entries, text };
}

async function openEntry(
  zip: yauzl.ZipFile,
  entry: yauzl.Entry,
  onBytes: (bytes: number) => void,
): Promise<{ stream: Readable; checksum: () => number }> {
  const source = await promisify(zip.openReadStream.bind(zip))(entry);
  let checksum = 0;
  const counting = new Transform({
    transform(chunk, _encoding, done) {
      checksum = crc32(chunk, checksum);
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  source.on('error', (error) => counting.destroy(error));
  counting.on('close', () => source.destroy());
  return { stream: source.pipe(counting), checksum: () => checksum };
}

async function forEachEntry(
  archive: string,
  visit: (zip: yauzl.ZipFile, entry: yauzl.Entry) => Promise<void>,
): Promise<void> {
  try {
    const zip = await openZip(archive, { lazyEntries: true, autoClose: false });
    try {
      await new Promise<void>((resolve, reject) => {
        zip.on('entry', (entry) => visit(zip, entry).then(() => zip.readEntry(), reject));
        zip.on('end', resolve);
        zip.on('error', reject);
        zip.readEntry();
      });
    } finally {
      zip.close();
    }
  } catch (error) {
    throw isFaultOfArchive(error) ? corrupt(archive, error.message) : error;
  }
}

/** Whether an error is yauzl's. */
function isFaultOfArchive(error: unknown): error is Error {
  const isOther = error instanceof KarloError || isSystemError(error);
  return error instanceof Error && !isOther && error.name !== 'AbortError';
}

function corrupt(archive: string, reason: string): KarloError {
  return setupRefused(
    `Expected a complete LibTorch zip or torch wheel but ${archive} is damaged or something else: ${reason}`,
  );
}
