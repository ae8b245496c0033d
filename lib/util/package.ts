import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The package's folder, for source files and compiled files alike. */
export function packageFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const above = join(here, '..', '..');
  return here.endsWith(join('dist', 'lib', 'util')) ? join(above, '..') : above;
}

interface PackageJson {
  version: string;
  description: string;
  peerDependencies: Readonly<Record<string, string>>;
}

/** The package's package.json. */
export function packageJson(): PackageJson {
  return JSON.parse(readFileSync(join(packageFolder(), 'package.json'), 'utf8'));
}

export function packageVersion(): string {
  return packageJson().version;
}
