// Float32 values in JSON: little-endian, in base64.

/** The values as base64. */
export function toBase64(values: Float32Array): string {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64');
}

/** The values of a base64 text; undefined if it does not hold whole float32 numbers, or one that is not finite. */
export function fromBase64(text: string): Float32Array<ArrayBuffer> | undefined {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length === 0 || bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0) return undefined;
  const values = new Float32Array(Uint8Array.from(bytes).buffer);
  return values.every(Number.isFinite) ? values : undefined;
}
