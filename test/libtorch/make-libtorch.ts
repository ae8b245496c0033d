import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** Writes a zip file, uncompressed, so that tests can damage it in known places. */
export async function makeZip(path: string, entries: Record<string, Buffer | string>) {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(entries)) {
    zip.addBuffer(Buffer.from(content), name, { compress: false });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

/** The entries of a small LibTorch zip, which can be found but not loaded. */
export function libtorchEntries(version = '2.11.0+cpu', bytes = 1000) {
  return {
    'libtorch/build-version': `${version}\n`,
    'libtorch/lib/libc10.so': Buffer.alloc(bytes, 1),
    'libtorch/lib/libtorch_cpu.so': Buffer.alloc(bytes, 2),
    'libtorch/lib/libtorch_python.so': 'not needed',
    'libtorch/include/ATen/ATen.h': '// a header',
  };
}
