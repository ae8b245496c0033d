// XMP in GIF files, which libvips neither writes nor reads: an application extension that contains the packet itself
// instead of sub-blocks, and ends in a "magic trailer" that leads decoders to its end (ISO 16684-3, XMP in GIF).
import { gif, matchesFormat } from './formats.js';

const start = Buffer.from('\x21\xff\x0bXMP DataXMP', 'latin1');
/** 1, then 255 down to 0, and the end of the sub-blocks. */
const trailer = Buffer.from([1, ...Array.from({ length: 256 }, (_, i) => 255 - i), 0]);

/** The last byte of a file. */
const endOfFile = 0x3b;

export function isGif(bytes: Buffer): boolean {
  return matchesFormat(bytes, gif);
}

/** A GIF file with XMP before its end. */
export function insertGifXmp(bytes: Buffer, xmp: string): Buffer<ArrayBuffer> {
  const end = bytes.lastIndexOf(endOfFile);
  return Buffer.concat([
    bytes.subarray(0, end),
    start,
    Buffer.from(xmp),
    trailer,
    bytes.subarray(end),
  ]);
}

/** The XMP of a GIF file; undefined if there is none. */
export function gifXmp(bytes: Buffer): Buffer | undefined {
  const at = bytes.lastIndexOf(start);
  const end = at < 0 ? -1 : bytes.indexOf(trailer, at);
  return end < 0 ? undefined : bytes.subarray(at + start.length, end);
}
