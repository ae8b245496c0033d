import { createHash } from 'node:crypto';
import type { RemoteFile } from '../download/download.js';
import { modelOf } from './folder.js';
import type { Member } from './record.js';

const weights = /\.(?:safetensors|bin)$/;

/**
 * The files of a model: those of the text-to-image repository, and the image-variation repository's
 * components that the former does not have. The order of the pulls does not matter.
 */
export function filesOf(members: readonly Member[]): RemoteFile[] {
  const ordered = members.toSorted((a, b) => rank(a) - rank(b));
  const taken = new Set<string>();
  const files: RemoteFile[] = [];
  for (const member of ordered) {
    const added = member.files.filter(({ path }) => !taken.has(componentOf(path)));
    for (const { path } of added) taken.add(componentOf(path));
    files.push(...added);
  }
  return files;
}

function rank({ repo }: Member): number {
  return modelOf(repo) === repo ? 0 : 1;
}

function componentOf(path: string): string {
  return path.split('/')[0] as string;
}

/** The components that are in two repositories of a model with different weights. */
export function differingComponents(members: readonly Member[]): string[] {
  const seen = new Map<string, string>();
  const found = new Set<string>();
  for (const { files } of members) {
    for (const [component, sums] of weightSums(files)) {
      if ((seen.get(component) ?? sums) !== sums) found.add(component);
      seen.set(component, sums);
    }
  }
  return [...found].sort();
}

function weightSums(files: readonly RemoteFile[]): Map<string, string> {
  const sums = new Map<string, string>();
  const sorted = files
    .filter(({ path }) => weights.test(path))
    .map(({ path, checksum }) => ({
      component: componentOf(path),
      hex: checksum.hex,
    }));
  for (const { component, hex } of sorted.sort((a, b) => (a.hex < b.hex ? -1 : 1))) {
    sums.set(component, `${sums.get(component) ?? ''} ${hex}`);
  }
  return sums;
}

/** A folder name that is unique for a set of files. */
export function folderFor(files: readonly RemoteFile[]): string {
  const lines = files.map(({ path, checksum }) => `${checksum.algorithm} ${checksum.hex} ${path}`);
  return createHash('sha256').update(lines.sort().join('\n')).digest('hex').slice(0, 12);
}
