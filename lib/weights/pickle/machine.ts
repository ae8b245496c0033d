import { corrupt } from '../corrupt.js';
import type { PickleBytes } from './bytes.js';
import { isKind, kindOf, type PickleKey, type PickleValue } from './values.js';

/** Deepest nesting of open containers. */
const MAX_MARKS = 256;
/** Most objects built, and most memo entries: a bound whatever the file's size. */
const MAX_OBJECTS = 1 << 18;
/** Most values ever pushed, and so most that all containers can hold; a tensor takes about 25. */
const MAX_PUSHES = 1 << 20;

/** The state of one unpickling: stack, marks and memo, each bounded. */
export class PickleMachine {
  readonly bytes: PickleBytes;
  private readonly stack: PickleValue[] = [];
  private readonly marks: number[] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly mostObjects: number;
  private built = 0;
  private pushes = 0;

  constructor(bytes: PickleBytes) {
    this.bytes = bytes;
    // An honest pickle spends several bytes on each object that it builds.
    this.mostObjects = Math.min(MAX_OBJECTS, 1024 + Math.floor(bytes.length / 2));
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
    if (++this.built > this.mostObjects) throw this.tooMany('objects', this.mostObjects);
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

  /** Everything above the last mark, which goes too. */
  popMark(): PickleValue[] {
    const start = this.marks.pop();
    if (start === undefined) throw corrupt('a mark', 'pickle', this.file, 'none');
    return this.stack.splice(start);
  }

  /** POP drops a mark when nothing lies above it, as Python's does. */
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

  /** APPEND, APPENDS and ADDITEMS: to the container on top. A record drops what it gets. */
  append(items: PickleValue[]): void {
    const target = this.top();
    if (isKind(target, 'record')) return;
    if (!isKind(target, 'list') && !isKind(target, 'set')) {
      throw corrupt('a list or set', 'pickle append', this.file, kindOf(target));
    }
    for (const item of items) target.items.push(item);
  }

  /** SETITEM and SETITEMS: keys and values by turns into the dict on top. */
  setItems(items: PickleValue[]): void {
    const target = this.top();
    if (isKind(target, 'record')) return;
    if (!isKind(target, 'dict')) {
      throw corrupt('a dict', 'pickle item', this.file, kindOf(target));
    }
    if (items.length % 2 !== 0) throw corrupt('pairs', 'pickle items', this.file, items.length);
    for (let at = 0; at < items.length; at += 2) {
      const key = this.key(items[at]);
      if (target.entries.has(key)) throw corrupt('one entry', String(key), this.file, 'two');
      target.entries.set(key, items[at + 1] as PickleValue);
    }
  }

  private key(value: PickleValue | undefined): PickleKey {
    if (value === null || (value !== undefined && typeof value !== 'object')) return value;
    throw corrupt('a string or number', 'a pickled key', this.file, kindOf(value));
  }

  private underflow() {
    return corrupt('a value', `pickle byte ${this.bytes.at}`, this.file, 'an empty stack');
  }

  private tooMany(what: string, most: number) {
    const expected = `at most ${most} for ${this.bytes.length} bytes`;
    return corrupt(expected, `pickled ${what}`, this.file, 'more');
  }
}
