import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { corrupt } from './corrupt.js';
import type { ByteSource } from './source.js';

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
/** Maximum size of the central directory, in bytes; a record usually takes about 100. */
const MAX_DIRECTORY = 32 * 1024 * 1024;
/** Maximum number of records in an archive; a checkpoint has one per tensor and a few more. */
const MAX_RECORDS = 131_072;
const CENTRAL_SIGNATURE = 0x02014b50;
const CENTRAL_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_BYTES = 30;
const ZIP64_EXTRA = 0x0001;
const FULL16 = 0xffff;
const FULL32 = 0xffffffff;
const ENCRYPTED = 0x2041; // bits 0, 6 and 13: encrypted, strongly encrypted, masked directory
const STORED = 0;
const DEFLATED = 8;
const inflate = promisify(inflateRaw) as (
  bytes: Buffer,
  options: { maxOutputLength: number },
) => Promise<Buffer>;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A record's entry in the central directory. */
export interface ZipRecord {
  name: string;
  method: number;
  /** Bytes in the file. */
  compressedSize: number;
  /** Bytes once inflated; the same in a stored record. */
  size: number;
  headerOffset: number;
  /** Offset of the next record or of the directory, which this record must not reach. */
  limit: number;
}

export interface ZipArchive {
  source: ByteSource;
  records: ReadonlyMap<string, ZipRecord>;
}

/**
 * Reads a zip file's directory. Rejects everything that two readers could interpret differently:
 * overlapping records, duplicate names, names that point out of the archive, encryption, several disks.
 */
export async function openZip(source: ByteSource): Promise<ZipArchive> {
  const directory = await findDirectory(source);
  const bytes = await source.read(directory.offset, directory.length);
  const list = parseDirectory(bytes, directory, source);
  const records = new Map<string, ZipRecord>();
  for (const record of list) {
    if (records.has(record.name)) throw corrupt('one record', record.name, source.name, 'two');
    records.set(record.name, record);
  }
  setLimits(list, directory, source);
  return { source, records };
}

/**
 * Reads a stored record's local header for the offset of its bytes in the file.
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT for a compressed record: PyTorch compresses neither
 *   tensors nor pickles, and without inflating there are no zip bombs
 */
export async function locateStored(zip: ZipArchive, record: ZipRecord): Promise<number> {
  if (record.method !== STORED) {
    const received = record.method === DEFLATED ? 'a deflated one' : `method ${record.method}`;
    throw corrupt('a stored (uncompressed) record', record.name, zip.source.name, received);
  }
  return locate(zip, record);
}

/** Reads a stored record of at most `limit` bytes. */
export async function readRecord(
  zip: ZipArchive,
  record: ZipRecord,
  limit: number,
): Promise<Buffer> {
  const { name, size } = record;
  if (size > limit) throw corrupt(`at most ${limit} bytes`, name, zip.source.name, size);
  return zip.source.read(await locateStored(zip, record), size);
}

/** Reads a record of at most `limit` bytes, which may be deflated. */
export async function inflateRecord(
  zip: ZipArchive,
  record: ZipRecord,
  limit: number,
): Promise<Buffer> {
  if (record.method !== DEFLATED) return readRecord(zip, record, limit);
  const { name, size, compressedSize } = record;
  const largest = Math.max(size, compressedSize);
  if (largest > limit) throw corrupt(`at most ${limit} bytes`, name, zip.source.name, largest);
  const bytes = await zip.source.read(await locate(zip, record), compressedSize);
  const inflated = await inflate(bytes, { maxOutputLength: Math.max(1, size) }).catch((cause) => {
    throw corrupt(`${size} deflated bytes`, name, zip.source.name, cause.message, cause);
  });
  if (inflated.length === size) return inflated;
  throw corrupt(`${size} bytes`, name, zip.source.name, inflated.length);
}

async function locate({ source }: ZipArchive, record: ZipRecord): Promise<number> {
  const header = await source.read(record.headerOffset, LOCAL_BYTES);
  if (header.readUInt32LE(0) !== LOCAL_SIGNATURE) {
    throw corrupt('a zip record', record.name, source.name, 'other bytes');
  }
  const nameLength = header.readUInt16LE(26);
  const start = record.headerOffset + LOCAL_BYTES + nameLength + header.readUInt16LE(28);
  const end = start + record.compressedSize;
  if (end > record.limit) {
    throw corrupt(`bytes before ${record.limit}`, record.name, source.name, `${start} to ${end}`);
  }
  const name = await source.read(record.headerOffset + LOCAL_BYTES, nameLength);
  if (!name.equals(Buffer.from(record.name, 'utf8')) || header.readUInt16LE(8) !== record.method) {
    throw corrupt('one name and method', record.name, source.name, 'others in its own header');
  }
  return start;
}

function parseDirectory(bytes: Buffer, directory: Directory, source: ByteSource): ZipRecord[] {
  const records: ZipRecord[] = [];
  let at = 0;
  while (records.length < directory.records) {
    if (at + CENTRAL_BYTES > bytes.length || bytes.readUInt32LE(at) !== CENTRAL_SIGNATURE) {
      throw corrupt(`${directory.records} records`, 'zip directory', source.name, records.length);
    }
    const nameEnd = at + CENTRAL_BYTES + bytes.readUInt16LE(at + 28);
    const extraEnd = nameEnd + bytes.readUInt16LE(at + 30);
    const end = extraEnd + bytes.readUInt16LE(at + 32);
    if (end > bytes.length) {
      throw corrupt(`at most ${bytes.length} bytes`, 'zip directory', source.name, end);
    }
    const extra = bytes.subarray(nameEnd, extraEnd);
    records.push(parseCentral(bytes.subarray(at, nameEnd), extra, directory, source));
    at = end;
  }
  if (at !== bytes.length) {
    throw corrupt(`${at} bytes`, 'zip directory', source.name, bytes.length);
  }
  return records;
}

function parseCentral(
  header: Buffer,
  extra: Buffer,
  directory: Directory,
  source: ByteSource,
): ZipRecord {
  const name = checkName(header.subarray(CENTRAL_BYTES), source);
  if ((header.readUInt16LE(8) & ENCRYPTED) !== 0) {
    throw corrupt('no encryption', name, source.name, 'encryption');
  }
  const sizes = readSizes(header, extra, name, source);
  const method = header.readUInt16LE(10);
  if (method === STORED && sizes.size !== sizes.compressedSize) {
    throw corrupt(`${sizes.size} bytes`, name, source.name, sizes.compressedSize);
  }
  return { name, method, ...sizes, limit: directory.offset };
}

/** Sizes and offset, from the zip64 field if the fixed one is all ones. */
function readSizes(header: Buffer, extra: Buffer, name: string, source: ByteSource) {
  const wide = findExtra(extra, ZIP64_EXTRA);
  let at = 0;
  const pick = (field: number) => {
    const narrow = header.readUInt32LE(field);
    if (narrow !== FULL32) return narrow;
    if (!wide || at + 8 > wide.length) throw corrupt('a zip64 field', name, source.name, 'none');
    at += 8;
    return safe(wide.readBigUInt64LE(at - 8), source);
  };
  if (header.readUInt16LE(34) !== 0 && header.readUInt16LE(34) !== FULL16) {
    throw corrupt('one disk', name, source.name, 'several');
  }
  // The order of the zip64 field: size, compressed size, offset.
  const size = pick(24);
  const compressedSize = pick(20);
  return { size, compressedSize, headerOffset: pick(42) };
}

function findExtra(extra: Buffer, id: number): Buffer | undefined {
  let at = 0;
  while (at + 4 <= extra.length) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) return undefined;
    if (extra.readUInt16LE(at) === id) return extra.subarray(at + 4, end);
    at = end;
  }
  return undefined;
}

function checkName(bytes: Buffer, source: ByteSource): string {
  let name: string;
  try {
    name = utf8.decode(bytes);
  } catch (cause) {
    throw corrupt('UTF-8', 'a record name', source.name, bytes.toString('latin1'), cause);
  }
  const parts = name.split('/');
  const leaves = name.startsWith('/') || /[\\\0]|^[A-Za-z]:/.test(name) || parts.includes('..');
  if (name !== '' && !leaves) return name;
  throw corrupt('a relative path', 'a record name', source.name, name);
}

function setLimits(records: ZipRecord[], directory: Directory, { name }: ByteSource) {
  const ordered = [...records].sort((a, b) => a.headerOffset - b.headerOffset);
  for (const [index, record] of ordered.entries()) {
    record.limit = ordered[index + 1]?.headerOffset ?? directory.offset;
    const minEnd = record.headerOffset + LOCAL_BYTES + record.compressedSize;
    if (minEnd <= record.limit) continue;
    throw corrupt(`an end before ${record.limit}`, record.name, name, minEnd);
  }
}

/** The central directory's position in the file. It ends where the end-of-directory records start. */
interface Directory {
  offset: number;
  length: number;
  records: number;
}

/** Finds the central directory of a zip or zip64 file. */
async function findDirectory(source: ByteSource): Promise<Directory> {
  const { end, position } = await readEnd(source);
  const disks = end.readUInt16LE(4) + end.readUInt16LE(6);
  if (disks !== 0) throw corrupt('one disk', 'zip', source.name, 'several');
  const directory = (await readEnd64(source, position)) ?? {
    records: end.readUInt16LE(10),
    length: end.readUInt32LE(12),
    offset: end.readUInt32LE(16),
    endsAt: position,
  };
  const { offset, length, records, endsAt } = directory;
  // Exactly: bytes between the directory and its end record would be hidden.
  if (offset + length !== endsAt) {
    throw corrupt(`an end at ${endsAt}`, 'zip directory', source.name, offset + length);
  }
  if (records > MAX_RECORDS || length > MAX_DIRECTORY) {
    const expected = `at most ${MAX_RECORDS} records in ${MAX_DIRECTORY} bytes`;
    throw corrupt(expected, 'zip directory', source.name, `${records} in ${length} bytes`);
  }
  return { offset, length, records };
}

async function readEnd(source: ByteSource): Promise<{ end: Buffer; position: number }> {
  const start = Math.max(0, source.size - END_BYTES - MAX_COMMENT);
  const tail = await source.read(start, source.size - start);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
    // The comment must reach the end of the file, or else there are two ways to read the file.
    if (at + END_BYTES + tail.readUInt16LE(at + 20) !== tail.length) continue;
    return { end: tail.subarray(at, at + END_BYTES), position: start + at };
  }
  throw corrupt('a zip directory', 'end of file', source.name, 'none (is the file whole?)');
}

async function readEnd64(source: ByteSource, endPosition: number) {
  const locatorAt = endPosition - LOCATOR_BYTES;
  if (locatorAt < END64_BYTES) return undefined;
  const locator = await source.read(locatorAt, LOCATOR_BYTES);
  if (locator.readUInt32LE(0) !== LOCATOR_SIGNATURE) return undefined;
  const position = safe(locator.readBigUInt64LE(8), source);
  if (position > locatorAt - END64_BYTES) {
    throw corrupt(`at most ${locatorAt - END64_BYTES}`, 'zip64 end record', source.name, position);
  }
  const end = await source.read(position, END64_BYTES);
  if (end.readUInt32LE(0) !== END64_SIGNATURE) {
    throw corrupt('a zip64 end record', `offset ${position}`, source.name, 'other bytes');
  }
  return {
    records: safe(end.readBigUInt64LE(32), source),
    length: safe(end.readBigUInt64LE(40), source),
    offset: safe(end.readBigUInt64LE(48), source),
    endsAt: position,
  };
}

/** A 64-bit size or offset as a number, at most the size of the file. */
function safe(value: bigint, source: ByteSource): number {
  if (value <= BigInt(source.size)) return Number(value);
  throw corrupt(`at most ${source.size} bytes`, 'zip size or offset', source.name, value);
}
