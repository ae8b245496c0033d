// numpy's file format of arrays (NEP 1), as far as statistics need it: floating-point numbers, little-endian.
import { corrupt } from '../../weights/corrupt.js';

/** An array of a `.npz` file, row-major. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float64Array | Float32Array;
}

const magic = '\x93NUMPY';
const types = { '<f8': Float64Array, '<f4': Float32Array };
const headerPattern =
  /^\{'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \}\s*$/;

/**
 * Parses a `.npy` file.
 * @param name for messages
 * @throws {KarloError} ERR_KARLO_MODEL_CORRUPT
 */
export function parseNpy(bytes: Buffer, name: string, file: string): NpyArray {
  const wide = bytes[6] !== 1;
  const start = wide ? 12 : 10;
  if (bytes.toString('latin1', 0, 6) !== magic || bytes.length < start) {
    throw corrupt('a numpy array', name, file, 'other bytes');
  }
  const end = start + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString('latin1', start, Math.min(end, start + 65_536));
  const [, descr = '', fortran = '', sizes = ''] = headerPattern.exec(header) ?? [];
  const Type = types[descr as keyof typeof types];
  if (Type === undefined) throw corrupt("dtype '<f8' or '<f4'", name, file, descr || header);
  const shape = sizes
    .split(',')
    .filter((size) => size.trim() !== '')
    .map(Number);
  const length = shape.reduce((product, size) => product * size, 1) * Type.BYTES_PER_ELEMENT;
  if (bytes.length - end !== length) {
    throw corrupt(`${length} bytes of numbers`, name, file, bytes.length - end);
  }
  // Copied, because numbers in a file need not be aligned.
  const values = new Type(Uint8Array.from(bytes.subarray(end)).buffer);
  return { shape, values: fortran === 'True' ? rowMajor(values, shape) : values };
}

/** The header of a `.npy` file, padded as numpy does. */
export function npyHeader(shape: readonly number[], descr: keyof typeof types): Buffer {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const length = 64 * Math.ceil((10 + text.length + 1) / 64) - 10;
  const bytes = Buffer.from(`${magic}\x01\x00\0\0${text.padEnd(length - 1)}\n`, 'latin1');
  bytes.writeUInt16LE(length, 8);
  return bytes;
}

/** A column-major matrix in row-major order. */
function rowMajor<T extends Float64Array | Float32Array>(values: T, shape: readonly number[]): T {
  const [rows = 1, columns = 1] = shape;
  return values.map(
    (_, i) => values[(i % columns) * rows + Math.floor(i / columns)] as number,
  ) as T;
}
