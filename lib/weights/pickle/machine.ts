import { corrupt } from '../corrupt.js';
import { isKind, kindOf, nameOf, type PickleKey, type PickleValue } from './values.js';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Maximum length of a module or class name, in bytes. */
const MAX_LINE = 512;
/** Maximum size of an integer, in bytes; PyTorch writes at most 10. */
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

  /** Offset of the next byte. */
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

  /** A 64-bit length, at most that of the pickle. */
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

/** Maximum nesting of open containers. */
const MAX_MARKS = 256;
/** Maximum number of objects, and of memo entries, for a file of any size. */
const MAX_OBJECTS = 1 << 18;
/** Maximum number of pushed values, which limits the size of all containers; a tensor takes about 25. */
const MAX_PUSHES = 1 << 20;

/** The state of an unpickler: stack, marks and memo, each bounded. */
export class PickleMachine {
  readonly bytes: PickleBytes;
  private readonly stack: PickleValue[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly maxObjects: number;
  private built = 0;
  private pushes = 0;

  constructor(bytes: PickleBytes) {
    this.bytes = bytes;
    // A pickle that PyTorch writes takes several bytes for each object.
    this.maxObjects = Math.min(MAX_OBJECTS, 1024 + Math.floor(bytes.length / 2));
  }

  get file(): string {
    return this.bytes.file;
  }

  push(value: PickleValue): void {
    if (++this.pushes > MAX_PUSHES) throw this.tooMany('values', MAX_PUSHES);
    this.stack.push(value);
  }

  /** Pushes a container or an object, which costs memory beyond its opcode. */
  build(value: PickleValue): void {
    if (++this.built > this.maxObjects) throw this.tooMany('objects', this.maxObjects);
    this.push(value);
  }

  pop(): PickleValue {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw this.underflow();
    return this.stack.pop() as PickleValue;
  }

  top(): PickleValue {
    if (this.stack.length <= (this.marks.at(-1) ?? 0)) throw this.underflow();
    return this.stack.at(-1) as PickleValue;
  }

  mark(): void {
    if (this.marks.length === MAX_MARKS) {
      throw corrupt(`at most ${MAX_MARKS} levels`, 'pickle nesting', this.file, 'more');
    }
    this.marks.push(this.stack.length);
  }

  /** Pops everything above the last mark, and the mark. */
  popMark(): PickleValue[] {
    const start = this.marks.pop();
    if (start === undefined) throw corrupt('a mark', 'pickle', this.file, 'none');
    return this.stack.splice(start);
  }

  /** POP removes the last mark if nothing is above it, as in Python. */
  drop(): void {
    if (this.marks.at(-1) === this.stack.length) this.marks.pop();
    else this.pop();
  }

  put(index: number): void {
    if (this.memo.size >= MAX_OBJECTS) throw this.tooMany('memo entries', MAX_OBJECTS);
    this.memo.set(index, this.top());
  }

  memoize(): void {
    this.put(this.memo.size);
  }

  get(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw corrupt('a memo entry', `index ${index}`, this.file, 'none');
    this.push(value);
  }

  /** APPEND, APPENDS and ADDITEMS: appends to the container on top. A record ignores items. */
  append(items: PickleValue[]): void {
    const target = this.top();
    if (isKind(target, 'record')) return;
    if (!isKind(target, 'list') && !isKind(target, 'set')) {
      throw corrupt('a list or set', 'pickle append', this.file, kindOf(target));
    }
    for (const item of items) target.items.push(item);
  }

  /** SETITEM and SETITEMS: adds alternating keys and values to the dict on top. */
  setItems(items: PickleValue[]): void {
    const target = this.top();
    if (isKind(target, 'record')) return;
    if (!isKind(target, 'dict')) {
      throw corrupt('a dict', 'pickle item', this.file, kindOf(target));
    }
    if (items.length % 2 !== 0) throw corrupt('pairs', 'pickle items', this.file, items.length);
    for (let at = 0; at < items.length; at += 2) {
      const key = this.key(items[at]);
      if (target.entries.has(key)) throw corrupt('one entry', nameOf(key), this.file, 'two');
      target.entries.set(key, items[at + 1] as PickleValue);
    }
  }

  private key(value: PickleValue | undefined): PickleKey {
    if (value === null || (value !== undefined && typeof value !== 'object')) return value;
    if (isKind(value, 'global') || isKind(value, 'record') || isKind(value, 'tuple')) return value;
    throw corrupt('a hashable value', 'a pickled key', this.file, kindOf(value));
  }

  private underflow() {
    return corrupt('a value', `pickle byte ${this.bytes.at}`, this.file, 'an empty stack');
  }

  private tooMany(what: string, limit: number) {
    const expected = `at most ${limit} for ${this.bytes.length} bytes`;
    return corrupt(expected, `pickled ${what}`, this.file, 'more');
  }
}
