import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ProgramResult, runFile } from '../native/run-program.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const prebuilds = `prebuilds/${process.platform}-${process.arch}`;

/** This package as it would be installed in a folder: a copy that a test can damage. */
export class PackageCopy {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
    copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
    for (const name of ['node_modules', 'models']) {
      symlinkSync(join(root, name), join(folder, name));
    }
    mkdirSync(join(folder, prebuilds), { recursive: true });
    const built = { 'karlo.node': 'karlo.glibc.node', 'libkarlo.so': 'libkarlo.so' };
    for (const [from, to] of Object.entries(built)) {
      copyFileSync(join(root, 'build/Release', from), join(folder, prebuilds, to));
    }
  }

  /** Runs `karlo info`, which loads the addon and LibTorch. */
  info(env: NodeJS.ProcessEnv = {}): Promise<ProgramResult> {
    return runFile(join(this.folder, 'dist/lib/cli/main.js'), ['info'], { env });
  }

  /** Replaces bytes by as many others, wherever they are in a file. */
  patch(file: string, from: string, to: string): void {
    patchFile(join(this.folder, file), (bytes) => bytes.replaceAll(from, to));
  }
}

/** Rewrites a file, whose bytes are given as a string of as many characters. */
export function patchFile(path: string, change: (bytes: string) => string): void {
  const before = readFileSync(path, 'latin1');
  const after = change(before);
  if (after === before) throw new Error(`nothing to patch in ${path}`);
  writeFileSync(path, Buffer.from(after, 'latin1'));
}

/** A LibTorch folder whose libraries are another's, by links. */
export function linkLibTorch(folder: string, libtorch: string, libraries: string[]): string {
  mkdirSync(join(folder, 'lib'), { recursive: true });
  copyFileSync(join(libtorch, 'version.py'), join(folder, 'version.py'));
  for (const name of libraries) symlinkSync(join(libtorch, 'lib', name), join(folder, 'lib', name));
  return folder;
}
