import { extname } from 'node:path';
import type { Sharp } from './sharp.js';

/** A format that can be read. */
interface ReadableFormat {
  /** Its name for people. */
  readonly label: string;
  /** The first bytes of its files, and their offset. */
  readonly signatures: readonly (readonly [at: number, bytes: string])[];
  /** The brands of its files, if they are ISO base media files: HEIC and videos have the same signature. */
  readonly brands?: readonly string[];
}

/** A format that can also be written. */
interface Format extends ReadableFormat {
  /** Whether it has a quality. Other formats are lossless. */
  readonly lossy: boolean;
  /** The most bytes of XMP that a file can store. libvips silently drops XMP that is larger. */
  readonly maxXmpBytes?: number;
  readonly encode: (image: Sharp, quality: number) => Sharp;
}

const jpeg: Format = {
  label: 'JPEG',
  signatures: [[0, '\xff\xd8\xff']],
  lossy: true,
  // One segment.
  maxXmpBytes: 60_000,
  // Without chroma subsampling, whose artefacts show at the edges of flat colours in small images.
  encode: (image, quality) => image.jpeg({ quality, chromaSubsampling: '4:4:4' }),
};

const tiff: Format = {
  label: 'TIFF',
  signatures: ['II*\0', 'MM\0*', 'II+\0', 'MM\0+'].map((bytes) => [0, bytes]),
  lossy: false,
  // sharp's default is lossy: JPEG inside the TIFF.
  encode: (image) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
};

/** The formats that can be written, by file extension. */
export const formats = {
  png: {
    label: 'PNG',
    signatures: [[0, '\x89PNG\r\n\x1a\n']],
    lossy: false,
    encode: (image) => image.png(),
  },
  jpg: jpeg,
  jpeg,
  webp: {
    label: 'WebP',
    signatures: [[8, 'WEBP']],
    lossy: true,
    encode: (image, quality) => image.webp({ quality, smartSubsample: true }),
  },
  avif: {
    label: 'AVIF',
    signatures: [[4, 'ftyp']],
    // AV1 Image File Format, section 6: images, and sequences.
    brands: ['avif', 'avis'],
    lossy: true,
    encode: (image, quality) => image.avif({ quality }),
  },
  tif: tiff,
  tiff,
} satisfies Record<string, Format>;

/** A format, by its file extension. */
export type ImageFormat = keyof typeof formats;

/** The names of all formats that can be written. */
export const imageFormats = Object.keys(formats) as readonly ImageFormat[];

/** The format that a file's extension names; undefined for another extension. */
export function formatOfFile(path: string): ImageFormat | undefined {
  const extension = extname(path).slice(1).toLowerCase();
  return imageFormats.find((format) => format === extension);
}

/** The properties of a format. */
export function formatOf(name: ImageFormat): Format {
  return formats[name];
}

const gif: ReadableFormat = {
  label: 'GIF',
  signatures: [
    [0, 'GIF87a'],
    [0, 'GIF89a'],
  ],
};

/**
 * The formats that can be read. Other files are never passed to the decoders: SVG, which can refer to other
 * files, and the rarer formats that some builds of libvips support.
 */
export const readableFormats: readonly ReadableFormat[] = [...Object.values(formats), gif];

/** Whether a file is of a format, judged by its first bytes. */
export function matchesFormat(bytes: Buffer, { signatures, brands }: ReadableFormat): boolean {
  const starts = signatures.some(
    ([at, magic]) => bytes.toString('latin1', at, at + magic.length) === magic,
  );
  return starts && (!brands || brandsOf(bytes).some((brand) => brands.includes(brand)));
}

/** Far more than the brands of any file take. */
const maxBrandBytes = 1024;

/**
 * The major and the compatible brands of an ISO base media file (ISO/IEC 14496-12, section 4.3); none for
 * other files.
 */
export function brandsOf(bytes: Buffer): string[] {
  if (bytes.length < 12 || bytes.toString('latin1', 4, 8) !== 'ftyp') return [];
  const end = Math.min(bytes.readUInt32BE(0), maxBrandBytes);
  const box = bytes.toString('latin1', 8, Math.max(12, end));
  const [major = '', , ...compatible] = box.match(/.{4}/gs) ?? [];
  return [major, ...compatible];
}

/** Formats for people: "JPEG, WebP and AVIF". */
export function labelsOf(some: readonly ReadableFormat[]): string {
  const labels = [...new Set(some.map(({ label }) => label))];
  return `${labels.slice(0, -1).join(', ')} and ${labels.at(-1)}`;
}
