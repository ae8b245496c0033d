// Recognises values of other realms, whose classes `instanceof` does not know: those of Jest, jsdom and `node:vm`.
import { types } from 'node:util';

/** Whether a value is a Uint8Array (a Buffer, for example) or a Uint8ClampedArray. */
export function isBytes(value: unknown): value is Uint8Array | Uint8ClampedArray {
  return types.isUint8Array(value) || types.isUint8ClampedArray(value);
}

/** The same bytes as a Uint8Array of this realm, which other libraries recognise. Not copied. */
export function ownBytes<B extends ArrayBufferLike>({
  buffer,
  byteOffset,
  length,
}: Uint8Array<B> | Uint8ClampedArray<B>): Uint8Array<B> {
  return new Uint8Array(buffer, byteOffset, length);
}

/** The text of a URL object; undefined for any other value. */
export function hrefOf(value: unknown): string | undefined {
  const { href, protocol } = (value ?? {}) as Partial<URL>;
  const isUrl = typeof href === 'string' && typeof protocol === 'string';
  return isUrl ? href : undefined;
}
