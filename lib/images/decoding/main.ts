// The program of a decoding process: see process.ts. Its parent sends a request, and receives a reply.
import { readableFormats } from '../formats.js';
import { loadSharp } from '../sharp.js';
import { type DecodingReply, type DecodingRequest, toSentError } from './messages.js';
import { decodingTasks } from './tasks.js';

const input: AsyncIterator<Buffer> = process.stdin[Symbol.asyncIterator]();

// The terminal and process managers send signals to all processes of a program. The parent decides when this one ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
// Not `process.exit`, which waits for libvips.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', async (request: DecodingRequest) => {
  process.send?.(await replyTo(request));
});

async function replyTo({ task, options, size }: DecodingRequest): Promise<DecodingReply> {
  try {
    const bytes = await readInput(size);
    restrictLoaders();
    return { result: await decodingTasks[task](bytes, options as never) };
  } catch (error) {
    return { error: toSentError(error) };
  }
}

/** Reads exactly `size` bytes. The parent sends no more of them before it has the reply. */
async function readInput(size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let at = 0; at < size; ) at += (await input.next()).value.copy(bytes, at);
  return bytes;
}

/** Only the loaders of the accepted formats can run, whatever libvips finds in the bytes. */
function restrictLoaders(): void {
  const sharp = loadSharp();
  sharp.cache(false);
  sharp.block({ operation: ['VipsForeignLoad'] });
  const operation = readableFormats.map(({ loader }) => `VipsForeignLoad${loader}Buffer`);
  sharp.unblock({ operation });
}
