/** The seed of a call's image j, by the seed of its first image. */
export function seedOfImage(first: number, j: number): number {
  return (first + j) % 2 ** 32;
}

/**
 * 2^32 divided by the golden ratio. Multiples of it, modulo 2^32, are spread so evenly (Knuth, TAOCP 3,
 * section 6.4) that no candidate of an image has the seed of one of the next 100,000 images.
 */
const seedStride = 2_654_435_769;

/** The seeds of an image's candidates. Candidate 0 has the seed of the image. */
export function candidateSeeds(seed: number, count: number): number[] {
  return Array.from({ length: count }, (_, k) => (seed + k * seedStride) % 2 ** 32);
}
