import { copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/build/ready.mjs';
import { type ProgramResult, runFile } from './run-program.js';

export const prebuilds = `prebuilds/${process.platform}-${process.arch}`;

/** A copy of the package in a folder, as if it were installed there, that a test can damage. */
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

  /** Replaces bytes everywhere in a file by others of the same length. */
  patch(file: string, from: string, to: string): void {
    patchFile(join(this.folder, file), (bytes) => bytes.replaceAll(from, to));
  }
}

/** Rewrites a file. Its bytes are passed as a string with one character for each. */
export function patchFile(path: string, change: (bytes: string) => string): void {
  const before = readFileSync(path, 'latin1');
  const after = change(before);
  if (after === before) throw new Error(`Nothing to patch in ${path}`);
  writeFileSync(path, Buffer.from(after, 'latin1'));
}

/** Creates a LibTorch folder with links to the libraries of another one. */
export function linkLibTorch(folder: string, libtorch: string, libraries: string[]): string {
  mkdirSync(join(folder, 'lib'), { recursive: true });
  copyFileSync(join(libtorch, 'version.py'), join(folder, 'version.py'));
  for (const name of libraries) symlinkSync(join(libtorch, 'lib', name), join(folder, 'lib', name));
  return folder;
}
