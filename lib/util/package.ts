import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KarloError } from '../errors.js';

// Bundlers replace this by the URL of the bundle, or by undefined.
const url: string | undefined = import.meta.url;

/** webpack and rspack define it in bundles. */
declare const __webpack_require__: unknown;

/**
 * The package's folder, for source files and compiled files alike: in an Electron application, the unpacked one.
 * @throws {KarloError} ERR_KARLO_ADDON_MISSING if a bundler has copied this module elsewhere
 */
export function packageFolder(): string {
  return unpacked(moduleFolder());
}

/**
 * The folder next to an asar archive to which Electron has unpacked a folder of it; without one, the same folder. Only
 * JavaScript can read an archive: native code and other programs cannot.
 */
export function unpacked(folder: string): string {
  const outside = folder.replace(/\.asar(?=[\\/])/, '.asar.unpacked');
  return existsSync(outside) ? outside : folder;
}

function moduleFolder(): string {
  const here = dirname(modulePath());
  const above = join(here, '..', '..');
  return here.endsWith(join('dist', 'lib', 'util')) ? join(above, '..') : above;
}

/** Resolves and loads the package's dependencies. */
export function packageRequire(): NodeJS.Require {
  return createRequire(join(moduleFolder(), 'package.json'));
}

function modulePath(): string {
  const path = url?.startsWith('file:') ? fileURLToPath(url) : undefined;
  if (path === undefined || !isOwnFile(path)) throw bundled();
  return path;
}

function isOwnFile(path: string): boolean {
  const isNamed = /[\\/]lib[\\/]util[\\/]package\.[jt]s$/.test(path);
  return isNamed && typeof __webpack_require__ === 'undefined' && existsSync(path);
}

function bundled(): KarloError {
  const message = `Expected karlo to be loaded from node_modules, but a bundler has included its code in a bundle, without the addon and the models. Declare the package as external:
  esbuild:      --external:karlo
  webpack:      externals: { karlo: 'commonjs karlo' }
  Vite, Rollup: external: ['karlo']
  Next.js:      serverExternalPackages: ['karlo']`;
  return new KarloError('ERR_KARLO_ADDON_MISSING', message);
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

let version: string | undefined;

/** The package's version. It is read once. */
export function packageVersion(): string {
  version ??= packageJson().version;
  return version;
}
