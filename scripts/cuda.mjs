// npm run cuda [-- --write]: builds libkarlo_cuda, and opens it with LibTorch's real CUDA libraries, which finds every
// symbol that it needs. No GPU is needed. `--write` updates the list that the tests compare with.
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { makeReady, root } from './build/ready.mjs';
import { report } from './build/report.mjs';

await report(async () => {
  await makeReady();
  const library = join(root, 'build', 'Release', 'libkarlo_cuda.so');
  if (!existsSync(library))
    throw new Error(`Expected ${library} but the addon was built without it`);
  const libtorch = await findCudaLibTorch();
  open(libtorch, library);
  console.log(`${library} opens with the CUDA libraries of ${libtorch.folder}`);
  if (!process.argv.includes('--write')) return;
  const { cudaSymbols } = await import('./build/cuda-symbols.mjs');
  const list = join(root, 'test', 'native', 'fixtures', 'cuda-symbols.txt');
  writeFileSync(list, `${cudaSymbols(library).join('\n')}\n`);
  console.log(`Wrote ${list}`);
});

/** The LibTorch in use if it has its CUDA libraries, or else that of the reference's Python environment. */
async function findCudaLibTorch() {
  const { findLibTorch } = await import('../dist/lib/libtorch/find.js');
  const { describeLibTorch } = await import('../dist/lib/libtorch/folder.js');
  const { cacheFolder } = await import('../dist/lib/util/environment.js');
  const cache = cacheFolder(process.env);
  const references = existsSync(cache)
    ? readdirSync(cache).filter((name) => name.startsWith('reference-'))
    : [];
  const folders = references.flatMap((name) => {
    const lib = join(cache, name, 'lib');
    return readdirSync(lib).map((python) => join(lib, python, 'site-packages', 'torch'));
  });
  const found = [
    findLibTorch(),
    ...folders.filter(existsSync).map((folder) => describeLibTorch(folder, 'python')),
  ];
  const libtorch = found.find(({ cudaLibraries }) => cudaLibraries !== undefined);
  if (libtorch !== undefined) return libtorch;
  throw new Error(
    "Expected LibTorch's CUDA libraries but found none. Download them (2.5 GB): npx karlo setup --cuda",
  );
}

/**
 * @param {import('../lib/libtorch/folder.js').LibTorch} libtorch
 * @param {string} library
 */
function open({ cpuLibraries, cudaLibraries = [] }, library) {
  const loader = createRequire(import.meta.url)(join(root, 'build', 'Release', 'karlo.node'));
  for (const path of [...cpuLibraries, ...cudaLibraries, library]) loader.open(path);
}
