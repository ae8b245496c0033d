import type { ImageContent } from '@modelcontextprotocol/sdk/types.js';
import { sharp } from '../../images/sharp.js';
import { ApiError } from '../errors.js';

/** Characters of the images of a result as base64. Claude Desktop rejects results of more than 1 MB. */
export const maxImageContent = 1_000_000;

/** The WebP qualities that are tried, if the PNG files exceed the limit. */
const qualities = [90, 75, 50];

interface Animation {
  readonly data: Buffer;
  readonly mimeType: string;
}

/**
 * The images of a result as MCP content: PNG files, or WebP files if the former are too large.
 * @throws {ApiError} 413 if both are
 */
export async function toImageContent(
  files: readonly Buffer[],
  animation: Animation | undefined,
): Promise<ImageContent[]> {
  const last = animation === undefined ? [] : [content(animation.data, animation.mimeType)];
  const all = [...files.map((file) => content(file, 'image/png')), ...last];
  if (fits(all)) return all;
  for (const quality of qualities) {
    const smaller = await Promise.all(
      files.map((file) => sharp(file).keepXmp().webp({ quality }).toBuffer()),
    );
    const result = [...smaller.map((file) => content(file, 'image/webp')), ...last];
    if (fits(result)) return result;
  }
  const message = `Expected images of at most ${maxImageContent / 1e6} MB as base64, but they are larger, even as WebP. Request fewer images or frames`;
  throw new ApiError(413, 'result_too_large', message);
}

function content(file: Buffer, mimeType: string): ImageContent {
  return { type: 'image', data: file.toString('base64'), mimeType };
}

function fits(images: readonly ImageContent[]): boolean {
  return images.reduce((sum, { data }) => sum + data.length, 0) <= maxImageContent;
}
