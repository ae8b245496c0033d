// Counts the frames of an animation without a decoder: libwebp takes a time that grows with their square.

/** Frames of a GIF or a WebP; 0 for other formats. Stops counting above `limit`. */
export function countFrames(bytes: Buffer, limit: number): number {
  const frames = framesOf(bytes);
  let count = 0;
  while (count <= limit && !frames.next().done) count += 1;
  return count;
}

function framesOf(bytes: Buffer): Iterator<unknown> {
  return bytes[0] === 0x47 ? gifFrames(bytes) : webpFrames(bytes);
}

/** Yields at each image descriptor (GIF89a, appendix B). */
function* gifFrames(bytes: Buffer): Generator<void> {
  let at = 13 + colourTable(bytes[10]);
  for (;;) {
    const block = bytes[at];
    if (block === 0x21) at = afterSubBlocks(bytes, at + 2);
    else if (block === 0x2c) {
      yield;
      at = afterSubBlocks(bytes, at + 11 + colourTable(bytes[at + 9]));
    } else return;
  }
}

/** The bytes of a colour table, by the flags before it. */
function colourTable(flags = 0): number {
  return flags & 0x80 ? 3 << ((flags & 0x07) + 1) : 0;
}

function afterSubBlocks(bytes: Buffer, start: number): number {
  let at = start;
  for (let size = bytes[at] ?? 0; size > 0; size = bytes[at] ?? 0) at += size + 1;
  return at + 1;
}

/** Yields at each ANMF chunk (RFC 9649, section 2.7). */
function* webpFrames(bytes: Buffer): Generator<void> {
  if (bytes.toString('latin1', 8, 12) !== 'WEBP') return;
  for (let at = 12; at + 8 <= bytes.length; ) {
    if (bytes.toString('latin1', at, at + 4) === 'ANMF') yield;
    const size = bytes.readUInt32LE(at + 4);
    at += 8 + size + (size % 2);
  }
}
