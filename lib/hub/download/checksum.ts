import { createHash, type Hash } from 'node:crypto';

/** The expected checksum of a file. `git-sha1` is Git's blob hash, which also covers the size. */
export interface Checksum {
  algorithm: 'sha256' | 'git-sha1' | 'md5';
  hex: string;
}

/** Starts the checksum of a file of `size` bytes. */
export function startChecksum({ algorithm }: Checksum, size: number): Hash {
  if (algorithm !== 'git-sha1') return createHash(algorithm);
  return createHash('sha1').update(`blob ${size}\0`);
}

/** The algorithm's name, for messages. */
export function checksumName({ algorithm }: Checksum): string {
  return { sha256: 'SHA-256', 'git-sha1': 'Git blob SHA-1', md5: 'MD5' }[algorithm];
}
