import { existsSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const howToGetIt = `No reference (diffusers on PyTorch): measuring this package alone.
To compare, pass its Python environment (torch 2.11.0, diffusers 0.33.1, transformers 4.52.4) and the
script that loads its models: --reference DIR --reference-script reference.py, or KARLO_REFERENCE and
KARLO_REFERENCE_SCRIPT.`;

/**
 * Finds the reference's Python and its script.
 * @param {string | undefined} folder a virtual environment; else KARLO_REFERENCE
 * @param {string | undefined} script else KARLO_REFERENCE_SCRIPT, or reference.py in the folder
 * @returns {{ python: string, script: string } | undefined} undefined if none is configured
 */
export function findReference(
  folder = process.env.KARLO_REFERENCE,
  script = process.env.KARLO_REFERENCE_SCRIPT,
) {
  if (folder === undefined || folder === '') return undefined;
  const python = ['bin/python', 'Scripts/python.exe', '.']
    .map((file) => resolve(folder, file))
    .find((file) => existsSync(file) && statSync(file).isFile());
  if (python === undefined) {
    throw new Error(`Expected a virtual environment, or its python, at ${folder} for --reference`);
  }
  const path = resolve(script || join(folder, 'reference.py'));
  if (!existsSync(path)) {
    throw new Error(`Expected the reference's script at ${path}: name it with --reference-script`);
  }
  return { python, script: path };
}
