import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { refused, SetupError } from './setup-error.mjs';

/** @type {(path: string, options: yauzl.Options) => Promise<yauzl.ZipFile>} */
const openZip = promisify(yauzl.open);

/**
 * Where an entry of a wheel or of the official zip lands; undefined for what has no place.
 * @param {string} name
 */
export function placeOf(name) {
  const rules = /** @type {[RegExp, string][]} */ ([
    [/^(?:lib)?torch\/(lib\/[^/]+|include\/.+)$/, '$1'],
    [/^nvidia\/[^/]+\/(lib\/[^/]+)$/, '$1'],
    [/^[^/]+\.dist-info\/(licenses\/.+)$/, '$1'],
    [/^(?:libtorch\/(build-version)|torch\/(version\.py))$/, '$1$2'],
  ]);
  const rule = rules.find(([pattern]) => pattern.test(name));
  return rule && name.replace(...rule);
}

/**
 * Unpacks entries of a zip file into a folder. yauzl refuses absolute and upward paths, and streams
 * that do not have the size that the directory says; the CRC is checked here.
 * @param {string} archive
 * @param {string} folder
 * @param {object} options
 * @param {(name: string) => boolean} options.wants
 * @param {(bytes: number) => void} [options.onBytes] called with each piece that was written
 * @param {AbortSignal | undefined} [options.signal]
 */
export async function unpack(archive, folder, { wants, onBytes = () => {}, signal }) {
  await forEachEntry(archive, async (zip, entry) => {
    signal?.throwIfAborted();
    const place = wants(entry.fileName) ? placeOf(entry.fileName) : undefined;
    if (place === undefined || entry.fileName.endsWith('/')) return;
    const target = join(folder, ...place.split('/'));
    await mkdir(dirname(target), { recursive: true });
    const { stream, sum } = await openEntry(zip, entry, onBytes);
    await pipeline(stream, createWriteStream(target), { signal });
    if (sum() !== entry.crc32) throw corrupt(archive, `${entry.fileName} fails its checksum`);
  });
}

/**
 * The files in a zip file, and the text of one that matches.
 * @param {string} archive
 * @param {RegExp} pattern
 * @returns {Promise<{ entries: { name: string, bytes: number }[], text: string | undefined }>}
 */
export async function inspect(archive, pattern) {
  /** @type {{ name: string, bytes: number }[]} */
  const entries = [];
  let text;
  await forEachEntry(archive, async (zip, entry) => {
    entries.push({ name: entry.fileName, bytes: entry.uncompressedSize });
    if (!pattern.test(entry.fileName) || entry.uncompressedSize > 1e5) return;
    const { stream } = await openEntry(zip, entry, () => {});
    text = Buffer.concat(await stream.toArray()).toString('utf8');
  });
  return { entries, text };
}

/**
 * @param {yauzl.ZipFile} zip
 * @param {yauzl.Entry} entry
 * @param {(bytes: number) => void} onBytes
 */
async function openEntry(zip, entry, onBytes) {
  const source = await promisify(zip.openReadStream.bind(zip))(entry);
  let sum = 0;
  const counting = new Transform({
    transform(chunk, _encoding, done) {
      sum = crc32(chunk, sum);
      onBytes(chunk.length);
      done(null, chunk);
    },
  });
  source.on('error', (error) => counting.destroy(error));
  counting.on('close', () => source.destroy());
  return { stream: source.pipe(counting), sum: () => sum };
}

/**
 * @param {string} archive
 * @param {(zip: yauzl.ZipFile, entry: yauzl.Entry) => Promise<void>} visit
 */
async function forEachEntry(archive, visit) {
  try {
    const zip = await openZip(archive, { lazyEntries: true, autoClose: false });
    try {
      await new Promise((resolve, reject) => {
        zip.on('entry', (entry) => visit(zip, entry).then(() => zip.readEntry(), reject));
        zip.on('end', resolve);
        zip.on('error', reject);
        zip.readEntry();
      });
    } finally {
      zip.close();
    }
  } catch (error) {
    if (error instanceof SetupError || /** @type {Error} */ (error).name === 'AbortError')
      throw error;
    if (isSystemError(error)) throw error;
    throw corrupt(archive, error instanceof Error ? error.message : String(error));
  }
}

/**
 * A full disk or a missing file is not the archive's fault.
 * @param {unknown} error
 */
function isSystemError(error) {
  return typeof (/** @type {NodeJS.ErrnoException} */ (error).syscall) === 'string';
}

/**
 * @param {string} archive
 * @param {string} reason
 */
function corrupt(archive, reason) {
  return refused(`Expected a whole LibTorch zip or torch wheel but ${archive} is none: ${reason}`);
}
