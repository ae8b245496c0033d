import { open } from 'node:fs/promises';

// ELF's e_machine, by Node's name for the architecture.
/** @type {Record<string, number>} */
const machines = { x64: 62, arm64: 183 };

/**
 * Whether a Linux library is built for another processor: its name is the same for each.
 * @param {string} library
 */
export async function isForeign(library) {
  const file = await open(library);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(20) });
    if (bytesRead < 20 || buffer.toString('latin1', 0, 4) !== '\x7fELF') return false;
    return buffer.readUInt16LE(18) !== machines[process.arch];
  } finally {
    await file.close();
  }
}
