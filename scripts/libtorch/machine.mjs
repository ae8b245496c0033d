import { closeSync, openSync, readSync } from 'node:fs';

// ELF's e_machine, by Node's name for the architecture.
/** @type {Record<string, number>} */
const machines = { x64: 62, arm64: 183 };

/**
 * Whether a Linux library is built for another processor: its name is the same for each.
 * @param {string} library
 */
export function isForeign(library) {
  const header = Buffer.alloc(20);
  const file = openSync(library, 'r');
  try {
    if (readSync(file, header, 0, 20, 0) < 20 || header.toString('latin1', 0, 4) !== '\x7fELF')
      return false;
    return header.readUInt16LE(18) !== machines[process.arch];
  } finally {
    closeSync(file);
  }
}
