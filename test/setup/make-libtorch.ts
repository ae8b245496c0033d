import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';

/** A zip file with these entries. Without compression, so that a test can damage what it wants. */
export async function makeZip(path: string, entries: Record<string, Buffer | string>) {
  const zip = new ZipFile();
  for (const [name, content] of Object.entries(entries)) {
    zip.addBuffer(Buffer.from(content), name, { compress: false });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(path));
  return path;
}

/** What LibTorch's own zip holds, in small: enough to be found, not to be loaded. */
export function libtorchEntries(version = '2.11.0+cpu', bytes = 1000) {
  return {
    'libtorch/build-version': `${version}\n`,
    'libtorch/lib/libc10.so': Buffer.alloc(bytes, 1),
    'libtorch/lib/libtorch_cpu.so': Buffer.alloc(bytes, 2),
    'libtorch/lib/libtorch_python.so': 'not needed',
    'libtorch/include/ATen/ATen.h': '// a header',
  };
}
