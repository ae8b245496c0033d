/**
 * torch.randn on a CPU generator, for sizes that are multiples of 16: MT19937 (Matsumoto & Nishimura
 * 1998), 24 bits a uniform number, then Box and Muller's transform on halves of 16.
 */
export function torchRandn(seed: number): (size: number) => Float64Array {
  const next = mersenneTwister(seed);
  return (size) => {
    if (size % 16 !== 0) throw new RangeError(`torchRandn fills multiples of 16, not ${size}`);
    const values = Float64Array.from({ length: size }, () => (next() & 0xffffff) / 2 ** 24);
    for (let at = 0; at < size; at += 16) boxMuller(values.subarray(at, at + 16));
    return values;
  };
}

function boxMuller(block: Float64Array): void {
  for (let i = 0; i < 8; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - (block[i] as number)));
    const angle = 2 * Math.PI * (block[i + 8] as number);
    block[i] = Math.fround(radius * Math.cos(angle));
    block[i + 8] = Math.fround(radius * Math.sin(angle));
  }
}

const LENGTH = 624;

function mersenneTwister(seed: number): () => number {
  const state = new Uint32Array(LENGTH);
  state[0] = seed;
  for (let i = 1; i < LENGTH; i++) {
    const last = state[i - 1] as number;
    state[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
  }
  let at = LENGTH;
  return () => {
    if (at === LENGTH) at = twist(state);
    let y = state[at++] as number;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

function twist(state: Uint32Array): 0 {
  for (let i = 0; i < LENGTH; i++) {
    const y =
      ((state[i] as number) & 0x80000000) | ((state[(i + 1) % LENGTH] as number) & 0x7fffffff);
    const odd = y & 1 ? 0x9908b0df : 0;
    state[i] = (state[(i + 397) % LENGTH] as number) ^ (y >>> 1) ^ odd;
  }
  return 0;
}
