import { corrupt } from '../corrupt.js';
import type { ByteSource } from '../source.js';

const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
const END64_SIGNATURE = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR_SIGNATURE = 0x07064b50;
const LOCATOR_BYTES = 20;
/** Largest central directory, in bytes; about 100 a record are usual. */
const MAX_DIRECTORY = 32 * 1024 * 1024;
/** Most records in an archive: a checkpoint has one a tensor and a few more. */
export const MAX_RECORDS = 131_072;

/** Where the central directory lies; it ends where the end-of-directory records start. */
export interface Directory {
  offset: number;
  length: number;
  records: number;
}

/** Finds the central directory of a zip file, in the zip64 form too. */
export async function findDirectory(source: ByteSource): Promise<Directory> {
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
  // Equality, not at most: bytes between the directory and its end would be hidden ones.
  if (offset + length !== endsAt) {
    throw corrupt(`an end at ${endsAt}`, 'zip directory', source.name, offset + length);
  }
  if (records > MAX_RECORDS || length > MAX_DIRECTORY) {
    const most = `at most ${MAX_RECORDS} records in ${MAX_DIRECTORY} bytes`;
    throw corrupt(most, 'zip directory', source.name, `${records} in ${length} bytes`);
  }
  return { offset, length, records };
}

async function readEnd(source: ByteSource): Promise<{ end: Buffer; position: number }> {
  const start = Math.max(0, source.size - END_BYTES - MAX_COMMENT);
  const tail = await source.read(start, source.size - start);
  for (let at = tail.length - END_BYTES; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_SIGNATURE) continue;
    // The comment must reach the end of the file: two readings of one file are an attack.
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

/** A 64-bit size or offset as a number; more than the file holds is refused. */
export function safe(value: bigint, source: ByteSource): number {
  if (value <= BigInt(source.size)) return Number(value);
  throw corrupt(`at most ${source.size} bytes`, 'zip size or offset', source.name, value);
}
