import { corrupt } from './corrupt.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Editors on Windows write it at the start of a file. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
/** Maximum number of keys of an object: each takes more memory than it has bytes. */
const MAX_KEYS = 1 << 17;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A pull parser for JSON of a known shape. It builds only the values that the caller asks for, so a
 * hostile document takes no more memory than its bytes, and it rejects duplicate keys, of which
 * `JSON.parse` keeps the last.
 */
export class JsonReader {
  private readonly bytes: Uint8Array;
  private readonly file: string;
  private readonly what: string;
  private position: number;

  /** `what` names the document in messages, e.g. `header`. */
  constructor(bytes: Uint8Array, file: string, what: string) {
    this.bytes = bytes;
    this.file = file;
    this.what = what;
    this.position = BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? 3 : 0;
  }

  /** Reads an object; `onKey` must consume the key's value. */
  object(onKey: (key: string) => void): void {
    this.expect('{');
    if (this.take('}')) return;
    const seen = new Set<string>();
    do {
      const key = this.string();
      if (seen.has(key)) throw corrupt('one entry', key, this.file, `two in its ${this.what}`);
      if (seen.size === MAX_KEYS) throw this.unexpected(`at most ${MAX_KEYS} keys`);
      seen.add(key);
      this.expect(':');
      onKey(key);
    } while (this.take(','));
    this.expect('}');
  }

  /** Reads an array; `onItem` must consume one value. */
  array(onItem: () => void): void {
    this.expect('[');
    if (this.take(']')) return;
    do onItem();
    while (this.take(','));
    this.expect(']');
  }

  /** Reads a string. */
  string(): string {
    this.expect('"');
    const start = this.position;
    let escaped = false;
    for (;;) {
      const byte = this.bytes[this.position];
      if (byte === undefined || byte < 0x20) throw this.unexpected('a closed string');
      this.position++;
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        escaped = true;
        this.position++;
      }
    }
    return this.decode(start, escaped);
  }

  /** Reads an integer from 0 to 2^53 - 1, written without sign, fraction or exponent. */
  count(): number {
    this.space();
    const start = this.position;
    while (isDigit(this.bytes[this.position])) this.position++;
    const digits = Buffer.from(this.bytes.subarray(start, Math.min(this.position, start + 32)));
    const value = Number(digits.toString('latin1'));
    const leadingZero = digits.length > 1 && digits[0] === 0x30;
    if (digits.length > 0 && Number.isSafeInteger(value) && !leadingZero) return value;
    this.position = start;
    throw this.unexpected('an integer from 0 to 2^53 - 1');
  }

  /** Skips one value of any kind, at most `depth` levels deep. */
  skip(depth = 16): void {
    if (depth === 0) throw this.unexpected('no deeper nesting');
    const byte = this.peek();
    if (byte === 0x7b) this.object(() => this.skip(depth - 1));
    else if (byte === 0x5b) this.array(() => this.skip(depth - 1));
    else if (byte === QUOTE) this.string();
    else this.scalar();
  }

  /** Rejects anything but white space up to the end. */
  end(): void {
    this.space();
    if (this.position < this.bytes.length) throw this.unexpected('the end');
  }

  private scalar(): void {
    const start = this.position;
    while (/[\w.+-]/.test(String.fromCharCode(this.bytes[this.position] ?? 0))) this.position++;
    const text = Buffer.from(this.bytes.subarray(start, this.position)).toString('latin1');
    if (/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(text)) return;
    this.position = start;
    throw this.unexpected('a JSON value');
  }

  private decode(start: number, escaped: boolean): string {
    const end = this.position - 1;
    try {
      if (!escaped) return utf8.decode(this.bytes.subarray(start, end));
      return JSON.parse(utf8.decode(this.bytes.subarray(start - 1, end + 1))) as string;
    } catch (cause) {
      throw corrupt('a UTF-8 string', `${this.what} at byte ${start}`, this.file, 'none', cause);
    }
  }

  private peek(): number | undefined {
    this.space();
    return this.bytes[this.position];
  }

  private take(character: string): boolean {
    if (this.peek() !== character.charCodeAt(0)) return false;
    this.position++;
    return true;
  }

  private expect(character: string): void {
    if (!this.take(character)) throw this.unexpected(JSON.stringify(character));
  }

  private space(): void {
    for (;;) {
      const byte = this.bytes[this.position];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.position++;
    }
  }

  private unexpected(expected: string) {
    const byte = this.bytes[this.position];
    const received = byte === undefined ? 'the end' : JSON.stringify(String.fromCharCode(byte));
    return corrupt(expected, `${this.what} at byte ${this.position}`, this.file, received);
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
