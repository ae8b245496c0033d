import type { Prng } from '../support/prng.js';

type Mutation = (bytes: Buffer, random: Prng, other: Buffer) => Buffer;

const INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x28, 0x2e, 0x5d, 0x7d, 0x71, 0x74, 0x52, 0x22, 0x7b];
const LENGTHS = [0, 1, 8, 0x7fff, 0xffff, 0x7fffffff, 0xfffffffe, 0xffffffff];

const setByte: Mutation = (bytes, random) => {
  bytes[random.below(bytes.length)] = random.pick(INTERESTING);
  return bytes;
};

const flipBit: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
  return bytes;
};

const truncate: Mutation = (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1));

/** Changes a 32-bit field to a suspicious length, or to a slightly different one. */
const growLength: Mutation = (bytes, random) => {
  if (bytes.length < 4) return bytes;
  const at = random.below(bytes.length - 3);
  const near = (bytes.readUInt32LE(at) + random.below(9) - 4) >>> 0;
  bytes.writeUInt32LE(random.below(2) ? near : random.pick(LENGTHS), at);
  return bytes;
};

const splice: Mutation = (bytes, random, other) => {
  const from = random.below(other.length);
  const part = other.subarray(from, from + random.below(64));
  const at = random.below(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at + random.below(64))]);
};

const repeat: Mutation = (bytes, random) => {
  const from = random.below(bytes.length);
  const part = bytes.subarray(from, from + 1 + random.below(32));
  const copies = Array.from({ length: 1 + random.below(200) }, () => part);
  return Buffer.concat([bytes.subarray(0, from), ...copies, bytes.subarray(from)]);
};

const remove: Mutation = (bytes, random) => {
  const from = random.below(bytes.length);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + random.below(16))]);
};

const digit: Mutation = (bytes, random) => {
  const at = random.below(bytes.length);
  for (let i = at; i < bytes.length; i++) {
    const byte = bytes[i] as number;
    if (byte < 0x30 || byte > 0x39) continue;
    bytes[i] = 0x30 + random.below(10);
    break;
  }
  return bytes;
};

const MUTATIONS = [setByte, flipBit, truncate, growLength, splice, repeat, remove, digit];

/** One to six mutations of a copy of `seed`, some with parts of `other`. */
export function mutate(seed: Buffer, other: Buffer, random: Prng): Buffer {
  let bytes = Buffer.from(seed);
  for (let count = 1 + random.below(6); count > 0 && bytes.length > 0; count--) {
    bytes = Buffer.from(random.pick(MUTATIONS)(bytes, random, other));
  }
  return bytes;
}
