import { execFileSync } from 'node:child_process';

/**
 * The symbols of CUDA and of LibTorch's CUDA libraries that a library needs, in C++'s notation.
 * @param {string} library
 * @returns {string[]}
 */
export function cudaSymbols(library) {
  const args = ['--dynamic', '--undefined-only', '--demangle', library];
  const lines = execFileSync('nm', args, { encoding: 'utf8' }).trim().split('\n');
  return lines
    .map((line) => line.trim().replace(/^[A-Za-z] /, ''))
    .filter((name) => /cuda/i.test(name));
}
