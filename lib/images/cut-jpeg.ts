import { sharp } from './sharp.js';

/** A JPEG whose last bytes are missing. */
export interface CutJpeg {
  /** The file with an end marker, so that decoders accept it. */
  readonly bytes: Buffer;
  /** How many of the stored rows decode, and how many there are. */
  readonly rows: number;
  readonly height: number;
}

/** Markers (ITU-T T.81, table B.1). */
const marker = { sof0: 0xc0, sof1: 0xc1, sof2: 0xc2, soi: 0xd8, eoi: 0xd9, sos: 0xda } as const;
const endOfImage = Buffer.from([0xff, marker.eoi]);
/** Coefficients of a block: one DC and 63 AC. */
const coefficients = 64;

/** What the markers of a file say. */
interface Structure {
  /** The SOF marker: the kind of coding. */
  readonly frame: number;
  /** The ids of the components. */
  readonly components: readonly number[];
  readonly scans: number;
  /** Of each component, the coefficients of which a scan has all bits. */
  readonly complete: ReadonlyMap<number, ReadonlySet<number>>;
  /** Whether the end marker is there. */
  readonly ended: boolean;
}

/**
 * Completes a JPEG whose last bytes are missing.
 * @param limit maximum number of pixels
 * @returns undefined for other files: complete ones, and those that miss more than the end of the last scan
 */
export async function completeJpeg(bytes: Buffer, limit: number): Promise<CutJpeg | undefined> {
  const isJpeg = bytes[0] === 0xff && bytes[1] === marker.soi;
  if (!isJpeg || bytes.subarray(-2).equals(endOfImage)) return undefined;
  const structure = readStructure(bytes);
  if (structure.ended || !isInLastScan(structure)) return undefined;
  // Programs that reserve the space of a download leave zeros at its end.
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const completed = Buffer.concat([bytes.subarray(0, end), endOfImage]);
  const rows = await countRows(completed, structure, limit).catch(() => undefined);
  return rows && { bytes: completed, ...rows };
}

/** Reads the markers up to the end of the image, or of the data (T.81, sections B.1.1 and B.2). */
function readStructure(bytes: Buffer): Structure {
  const complete = new Map<number, Set<number>>();
  let [frame, scans, at] = [0, 0, 2];
  for (;;) {
    at = nextMarker(bytes, at);
    const code = bytes[at + 1];
    const body = bytes.subarray(at + 4, at + 2 + lengthAt(bytes, at + 2));
    if (code === undefined || code === marker.eoi) break;
    if (code >= marker.sof0 && code <= marker.sof2) {
      frame = code;
      for (let i = 6; i < body.length; i += 3) complete.set(body[i] as number, new Set());
    }
    if (code === marker.sos) {
      scans += 1;
      addScan(complete, body);
    }
    at += 4 + body.length;
  }
  return { frame, components: [...complete.keys()], scans, complete, ended: at < bytes.length - 1 };
}

/** The position of the next marker with a segment, or of the end marker; the length if there is none. */
function nextMarker(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const code = bytes[at + 1] ?? 0;
    // Stuffed zeros, fill bytes and restart markers are part of the data.
    if (code !== 0 && code !== 0xff && !(code >= 0xd0 && code <= 0xd7)) return at;
  }
  return bytes.length;
}

function lengthAt(bytes: Buffer, at: number): number {
  return at + 2 <= bytes.length ? Math.max(2, bytes.readUInt16BE(at)) : 2;
}

/** Adds the coefficients that a scan completes: those whose lowest bit it has (T.81, section B.2.3). */
function addScan(complete: ReadonlyMap<number, Set<number>>, body: Buffer): void {
  const count = body[0] ?? 0;
  const [first = 0, last = 0, approximation = 0] = body.subarray(1 + 2 * count);
  if ((approximation & 0x0f) !== 0) return;
  for (let i = 0; i < count; i++) {
    const done = complete.get(body[1 + 2 * i] as number);
    for (let k = first; k <= last; k++) done?.add(k);
  }
}

/** Whether only the end of the last scan is missing. Sequential files with several scans do not count. */
function isInLastScan({ frame, components, scans, complete }: Structure): boolean {
  if (frame !== marker.sof2 && scans !== 1) return false;
  return (
    components.length > 0 && [...complete.values()].every((done) => done.size === coefficients)
  );
}

/**
 * Counts the rows that decode. In a progressive file those are all: the last scan only adds a bit to some
 * coefficients. In a sequential one, libjpeg fills the missing blocks with the middle of the range. An image
 * that ends in this grey counts as incomplete.
 */
async function countRows(bytes: Buffer, { frame }: Structure, limit: number) {
  const image = () => sharp(bytes, { limitInputPixels: limit, failOn: 'error', ignoreIcc: true });
  const { width, height, space } = await image().metadata();
  if (frame === marker.sof2) return { rows: height, height };
  const edge = Math.min(8, width);
  const { data, info } = await image()
    .extract({ left: width - edge, top: 0, width: edge, height })
    .pipelineColourspace(space as never)
    .toColourspace(space as never)
    .raw()
    .toBuffer({ resolveWithObject: true });
  const stride = edge * info.channels;
  const isFilled = (row: number) =>
    data
      .subarray(row * stride, (row + 1) * stride)
      .every((value) => value === 127 || value === 128);
  let rows = height;
  while (rows > 0 && isFilled(rows - 1)) rows -= 1;
  return { rows, height };
}
