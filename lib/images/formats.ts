import { extname } from 'node:path';
import type { Sharp } from './sharp.js';

/** A format that can be read. */
interface ReadableFormat {
  /** Its name for people. */
  readonly label: string;
  /**
   * Matches the first bytes of its files, as Latin-1. Strict, because libvips chooses a decoder by itself: a text
   * with WEBP at offset 8 can be SVG.
   */
  readonly signature: RegExp;
  /** The brands of its files, if they are ISO base media files: HEIC and videos have the same signature. */
  readonly brands?: readonly string[];
  /** libvips' name of the decoder. Others cannot run in a decoding process. */
  readonly loader: string;
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
  loader: 'Jpeg',
  signature: /^\xff\xd8\xff/,
  lossy: true,
  // One segment.
  maxXmpBytes: 60_000,
  // Without chroma subsampling, whose artefacts show at the edges of flat colours in small images.
  encode: (image, quality) => image.jpeg({ quality, chromaSubsampling: '4:4:4' }),
};

const tiff: Format = {
  label: 'TIFF',
  loader: 'Tiff',
  signature: /^(?:II[*+]\0|MM\0[*+])/,
  lossy: false,
  // sharp's default is lossy: JPEG inside the TIFF.
  encode: (image) => image.tiff({ compression: 'deflate', predictor: 'horizontal' }),
};

/** The start of an ISO base media file: the size of the box, below 64 KB, and its type. */
const ftypBox = /^\0\0.{2}ftyp/s;

/** The formats that can be written, by file extension. */
export const formats = {
  png: {
    label: 'PNG',
    loader: 'Png',
    signature: /^\x89PNG\r\n\cZ\n/,
    lossy: false,
    encode: (image) => image.png(),
  },
  jpg: jpeg,
  jpeg,
  webp: {
    label: 'WebP',
    loader: 'Webp',
    signature: /^RIFF.{4}WEBP/s,
    lossy: true,
    encode: (image, quality) => image.webp({ quality, smartSubsample: true }),
  },
  avif: {
    label: 'AVIF',
    loader: 'Heif',
    signature: ftypBox,
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

/** Read, and written only as an animation. */
export const gif: ReadableFormat = {
  label: 'GIF',
  loader: 'Nsgif',
  signature: /^GIF8[79]a/,
};

/**
 * The formats that can be read. Other files are never passed to the decoders: SVG, which can refer to other
 * files, and the rarer formats that some builds of libvips support.
 */
export const readableFormats: readonly ReadableFormat[] = [...Object.values(formats), gif];

/** Whether a file is of a format, judged by its first bytes. */
export function matchesFormat(bytes: Buffer, { signature, brands }: ReadableFormat): boolean {
  const matches = signature.test(bytes.toString('latin1', 0, 16));
  return matches && (!brands || brandsOf(bytes).some((brand) => brands.includes(brand)));
}

/** Far more than the brands of any file take. */
const maxBrandBytes = 1024;

/**
 * The major and the compatible brands of an ISO base media file (ISO/IEC 14496-12, section 4.3); none for
 * other files.
 */
export function brandsOf(bytes: Buffer): string[] {
  if (bytes.length < 12 || !ftypBox.test(bytes.toString('latin1', 0, 8))) return [];
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
