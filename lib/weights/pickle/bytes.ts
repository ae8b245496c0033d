import { corrupt } from '../corrupt.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Longest module or class name. */
const MAX_LINE = 512;
/** Longest long integer, in bytes; PyTorch writes none above 10. */
const MAX_LONG = 16;

/** A cursor over a pickle's bytes that cannot leave them. */
export class PickleBytes {
  readonly file: string;
  readonly length: number;
  private readonly bytes: Buffer;
  private position = 0;

  constructor(bytes: Uint8Array, file: string) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.length = bytes.byteLength;
    this.file = file;
  }

  /** Where the next byte lies. */
  get at(): number {
    return this.position;
  }

  uint8(): number {
    return this.bytes.readUInt8(this.advance(1));
  }

  uint16(): number {
    return this.bytes.readUInt16LE(this.advance(2));
  }

  int32(): number {
    return this.bytes.readInt32LE(this.advance(4));
  }

  uint32(): number {
    return this.bytes.readUInt32LE(this.advance(4));
  }

  /** A 64-bit length; what exceeds the pickle is refused. */
  uint64(): number {
    const value = this.bytes.readBigUInt64LE(this.advance(8));
    if (value <= BigInt(this.length)) return Number(value);
    throw corrupt(`at most ${this.length} bytes`, 'pickle length', this.file, value);
  }

  float64(): number {
    return this.bytes.readDoubleBE(this.advance(8));
  }

  /** A view of the next `length` bytes. */
  raw(length: number): Buffer {
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  text(length: number): string {
    const bytes = this.raw(length);
    try {
      return utf8.decode(bytes);
    } catch (cause) {
      throw corrupt('UTF-8', 'a pickle string', this.file, bytes.toString('latin1'), cause);
    }
  }

  /** Up to the next line feed, which is consumed. */
  line(): string {
    const end = this.bytes.indexOf(0x0a, this.position);
    const length = end - this.position;
    if (end < 0 || length > MAX_LINE) {
      throw corrupt(`a line of at most ${MAX_LINE} bytes`, 'pickle', this.file, 'none');
    }
    const text = this.text(length);
    this.advance(1);
    return text;
  }

  /** A little-endian two's complement integer of `length` bytes. */
  long(length: number): number | bigint {
    if (length > MAX_LONG || length < 0) {
      throw corrupt(`at most ${MAX_LONG} bytes`, 'a pickled integer', this.file, length);
    }
    if (length === 0) return 0;
    const hex = Buffer.from(this.raw(length)).reverse().toString('hex');
    const value = BigInt.asIntN(length * 8, BigInt(`0x${hex}`));
    const narrow = Number(value);
    return Number.isSafeInteger(narrow) ? narrow : value;
  }

  private advance(length: number): number {
    const start = this.position;
    if (length < 0 || start + length > this.length) {
      throw corrupt(`at most ${this.length} bytes`, 'pickle', this.file, `${start} + ${length}`);
    }
    this.position = start + length;
    return start;
  }
}
