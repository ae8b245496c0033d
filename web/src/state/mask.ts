// Masks are painted on a canvas: paint where the image is repainted.

/** Width and height of a mask, in pixels. */
export const maskSide = 512;

/** Rare in images, and seen on light and dark ones. */
const paint = '#4457f2';

export interface Point {
  x: number;
  y: number;
}

export interface Brush {
  width: number;
  erases: boolean;
}

export function drawLine(
  canvas: HTMLCanvasElement | null,
  from: Point,
  to: Point,
  { width, erases }: Brush,
): void {
  const context = canvas?.getContext('2d');
  if (!context) return;
  context.globalCompositeOperation = erases ? 'destination-out' : 'source-over';
  context.strokeStyle = paint;
  context.lineCap = 'round';
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  context.stroke();
}

/** Shows a mask on the canvas, or clears the canvas. */
export async function drawMask(
  canvas: HTMLCanvasElement | null,
  mask: Blob | undefined,
): Promise<void> {
  const context = canvas?.getContext('2d');
  if (!context) return;
  const image = mask && (await createImageBitmap(mask));
  context.globalCompositeOperation = 'source-over';
  context.clearRect(0, 0, maskSide, maskSide);
  if (image === undefined) return;
  context.fillStyle = paint;
  context.fillRect(0, 0, maskSide, maskSide);
  context.globalCompositeOperation = 'destination-out';
  context.drawImage(image, 0, 0, maskSide, maskSide);
}

/** The mask, which is transparent where the canvas is painted; undefined if nothing is. */
export async function toMask(painted: HTMLCanvasElement | null): Promise<Blob | undefined> {
  const context = painted?.getContext('2d');
  if (!painted || !context) return undefined;
  const { data } = context.getImageData(0, 0, maskSide, maskSide);
  // Erasing leaves a trace of smoothed edges.
  if (!data.some((value, i) => i % 4 === 3 && value > 127)) return undefined;
  const canvas = new OffscreenCanvas(maskSide, maskSide);
  const mask = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  mask.fillRect(0, 0, maskSide, maskSide);
  mask.globalCompositeOperation = 'destination-out';
  mask.drawImage(painted, 0, 0);
  return canvas.convertToBlob();
}
