import type { Pixels } from './pixels.js';
import { sharp } from './sharp.js';

/** The pixels in each direction that a blurred image is made from. */
const blurredSide = 4;

/** Pixels of which nothing can be recognised, and from which nothing can be restored. */
export async function redact(
  { width, height, data }: Pixels,
  action: 'blur' | 'black',
): Promise<Pixels> {
  if (action === 'black') return { width, height, data: new Uint8Array(data.length) };
  const raw = (image: ReturnType<typeof sharp>) => image.raw().toBuffer();
  const small = { width: blurredSide, height: blurredSide, channels: 3 } as const;
  // Two pipelines, because sharp would combine the sizes. A filter that cannot be inverted, as a Gaussian blur could be.
  const colours = await raw(
    sharp(data, { raw: { width, height, channels: 3 } }).resize(blurredSide, blurredSide, {
      fit: 'fill',
    }),
  );
  const blurred = await raw(
    sharp(colours, { raw: small }).resize(width, height, { fit: 'fill', kernel: 'cubic' }),
  );
  return { width, height, data: new Uint8Array(blurred) };
}
