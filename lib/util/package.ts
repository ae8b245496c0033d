import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageFolder } from '../torch/load.js';

interface PackageJson {
  version: string;
  description: string;
}

/** This package's own package.json. */
export function packageJson(): PackageJson {
  return JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8'));
}

export function packageVersion(): string {
  return packageJson().version;
}
