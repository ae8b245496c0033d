/** The colours of karlo-tiny's vocabulary, as they were painted in its training images. */
export const palette: Readonly<Record<string, readonly [number, number, number]>> = {
  red: [220, 40, 40],
  orange: [240, 140, 30],
  yellow: [245, 215, 50],
  green: [50, 160, 70],
  blue: [45, 90, 215],
  purple: [130, 60, 180],
  pink: [245, 130, 180],
  brown: [130, 80, 45],
  black: [25, 25, 30],
  white: [250, 250, 250],
  gray: [135, 140, 145],
  cyan: [60, 200, 215],
};

interface Image {
  width: number;
  data: Uint8Array;
}

/**
 * The colours of an image, by name. The background has the colour of most pixels at the border, the
 * shape that of most of the other pixels in the middle.
 */
export function coloursOf(image: Image): { background: string; shape: string | undefined } {
  const side = image.width;
  const [margin, quarter] = [side / 16, side / 4];
  const border = new Map<string, number>();
  const middle = new Map<string, number>();
  for (let y = 0; y < side; y += 1) {
    for (let x = 0; x < side; x += 1) {
      const edge = Math.min(x, y, side - 1 - x, side - 1 - y);
      if (edge < margin) count(border, nearest(image, x, y));
      else if (edge >= quarter) count(middle, nearest(image, x, y));
    }
  }
  const background = mostFrequent(border) as string;
  middle.delete(background);
  return { background, shape: mostFrequent(middle) };
}

function nearest({ width, data }: Image, x: number, y: number): string {
  const at = 3 * (y * width + x);
  const distance = (colour: readonly number[]) =>
    colour.reduce((sum, value, c) => sum + (value - (data[at + c] as number)) ** 2, 0);
  const [first] = Object.entries(palette).sort(([, a], [, b]) => distance(a) - distance(b));
  return (first as [string, unknown])[0];
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function mostFrequent(counts: Map<string, number>): string | undefined {
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0];
}
