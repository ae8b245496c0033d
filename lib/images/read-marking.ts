import { explainedAsync } from '../util/explain.js';
import { type ImageFileInput, readImageBytes } from './image-bytes.js';
import { readXmp } from './xmp.js';

/** What an image file says about its origin. Any program can write and remove it. */
export interface Marking {
  /**
   * The value of the XMP property `Iptc4xmpExt:DigitalSourceType`, which is a URI of the IPTC's vocabulary
   * (https://cv.iptc.org/newscodes/digitalsourcetype/).
   */
  readonly digitalSourceType: string;
  /** The value of the XMP property `xmp:CreatorTool`: the program that created the image. */
  readonly creatorTool?: string | undefined;
}

/**
 * Reads the marking of an image file of any format that can be decoded, also of files by other programs.
 * @param image a path, a `file:` URL, or the bytes of the file, also as a `Blob` or a `Response`
 * @returns undefined if the file has none
 * @throws {KarloError} ERR_KARLO_INVALID_ARGUMENT for a file that is not an image
 */
export function readMarking(image: ImageFileInput): Promise<Marking | undefined> {
  return explainedAsync(async () => {
    const { bytes, label } = await readImageBytes(image, 'image');
    const values = await readXmp(bytes, label, ['digitalSourceType', 'creatorTool']);
    const { digitalSourceType, creatorTool } = values;
    if (!digitalSourceType) return undefined;
    return { digitalSourceType, ...(creatorTool && { creatorTool }) };
  });
}
