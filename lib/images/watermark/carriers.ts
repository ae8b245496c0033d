// The watermark's pattern: a tile that repeats over the whole image, as in Kalker et al. 1999, "A video watermarking
// system for broadcast monitoring" (https://doi.org/10.1117/12.344661). A crop leaves its period as it is, and only
// moves its origin. The tile is a sum of waves (carriers) of equal amplitude, whose phases are pseudo-random: the spread
// spectrum of Cox et al. 1997 (https://doi.org/10.1109/83.650120). Some of them find the origin; the others also carry
// the message, by their signs.
import { createHash } from 'node:crypto';

/** The period of the pattern, in pixels. */
export const tileEdge = 64;

/**
 * Cycles per tile of the slowest and the fastest wave. Slower ones are in the spectrum of every image, and JPEG removes
 * faster ones.
 */
const frequencies = [4, 16] as const;

/** A symbol of the message is 12 bits; its code words have 60 signs. */
export const symbolBits = 12;
export const symbols = 5;
const signsPerSymbol = 60;

/** A wave `cos(2 pi (kx x + ky y) / tileEdge + phase)`. */
export interface Carrier {
  readonly kx: number;
  readonly ky: number;
  /** In radians. */
  readonly phase: number;
}

/** A carrier whose sign is one of a symbol's code word. */
export interface MessageCarrier extends Carrier {
  /** The bits of the symbol whose parity is the sign: 1 to 4095. */
  readonly mask: number;
}

export interface Pattern {
  /** Those without a message. */
  readonly reference: readonly Carrier[];
  /** For each symbol, those of its code word. */
  readonly message: readonly (readonly MessageCarrier[])[];
}

/** All pseudo-random choices. They are public: everyone can detect a watermark, and imitate one. */
function* randomNumbers(): Generator<number, never> {
  const bytes = createHash('shake256', { outputLength: 1 << 14 })
    .update('karlo watermark 1')
    .digest();
  for (let at = 0; ; at += 4) yield bytes.readUInt32LE(at) / 2 ** 32;
}

function makePattern(): Pattern {
  const random = randomNumbers();
  const next = () => random.next().value;
  const carriers = wavesOf()
    .map(([kx, ky]) => ({ kx, ky, phase: 2 * Math.PI * next(), order: next() }))
    .sort((a, b) => a.order - b.order);
  const message = Array.from({ length: symbols }, (_, i) =>
    carriers
      .slice(i * signsPerSymbol, (i + 1) * signsPerSymbol)
      .map((carrier) => ({ ...carrier, mask: 1 + Math.floor(next() * (2 ** symbolBits - 1)) })),
  );
  return { reference: carriers.slice(symbols * signsPerSymbol), message };
}

/** The frequencies of the band. Of each pair of opposite ones, which are the same wave, one. */
function wavesOf(): [number, number][] {
  const [slowest, fastest] = frequencies;
  const waves: [number, number][] = [];
  for (let ky = 0; ky <= fastest; ky++) {
    for (let kx = ky === 0 ? 1 : -fastest; kx <= fastest; kx++) {
      const frequency = Math.hypot(kx, ky);
      if (frequency >= slowest && frequency <= fastest) waves.push([kx, ky]);
    }
  }
  return waves;
}

let made: Pattern | undefined;

/** The pattern, which is made on first use. */
export function pattern(): Pattern {
  made ??= makePattern();
  return made;
}

/** The sign of a carrier in the code word of a symbol: a linear code, by the parity of the masked bits. */
export function signOf(symbol: number, mask: number): 1 | -1 {
  let bits = symbol & mask;
  let sign: 1 | -1 = 1;
  for (; bits !== 0; bits &= bits - 1) sign = sign === 1 ? -1 : 1;
  return sign;
}

/** The cosines and sines of multiples of `2 pi / tileEdge`. */
export const cosines = Float64Array.from({ length: tileEdge }, (_, i) =>
  Math.cos((2 * Math.PI * i) / tileEdge),
);
export const sines = Float64Array.from({ length: tileEdge }, (_, i) =>
  Math.sin((2 * Math.PI * i) / tileEdge),
);

/** An index into these tables. */
export function angle(i: number): number {
  return i & (tileEdge - 1);
}
