// npm run package:serve: assembles the npm package karlo-serve in build/packages/, ready to pack. Its dependencies are this
// version of karlo, and the optional peer dependencies of karlo that its server needs.
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from '../build/ready.mjs';
import { report } from '../build/report.mjs';

const name = 'karlo-serve';

/** Those of a queue, of which one has a dependency with an install script, and that of karlo/ai-sdk. */
const notOfServer = ['bullmq', 'ioredis', 'ai'];

/**
 * Assembles the package, and replaces an earlier one.
 * @returns {Promise<string>} its folder
 */
export async function assembleKarloServe() {
  const target = join(root, 'build', 'packages', name);
  await rm(target, { recursive: true, force: true });
  await cp(join(root, 'packages', name), target, { recursive: true });
  await cp(join(root, 'LICENSE'), join(target, 'LICENSE'));
  await complete(join(target, 'package.json'));
  return target;
}

/**
 * Adds karlo's version and the dependencies. In the workspace the package is private and does not depend on karlo, which
 * npm would look for in the registry.
 * @param {string} file package.json
 */
async function complete(file) {
  const karlo = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { private: _, dependencies, ...rest } = JSON.parse(await readFile(file, 'utf8'));
  const libraries = Object.entries(karlo.peerDependencies).filter(
    ([library]) => !notOfServer.includes(library),
  );
  const all = { karlo: karlo.version, ...dependencies, ...Object.fromEntries(libraries) };
  const manifest = { ...rest, version: karlo.version, dependencies: all };
  await writeFile(file, `${JSON.stringify(manifest, null, 2)}\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await report(async () => console.log(await assembleKarloServe()));
}
