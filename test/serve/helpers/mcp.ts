import { createHash } from 'node:crypto';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { CallToolResult, ContentBlock } from '@modelcontextprotocol/sdk/types.js';
import sharp from 'sharp';
import type { KarloImage } from '../../../lib/index.js';
import { atEnd } from './at-end.js';

/** A call that takes minutes, so that it is still running when the test goes on. */
export const endlessCall = { prompt: 'a ring', n: 8, candidates: 64, sampling: 'default' };

/** Starts `karlo mcp`, with the official client. It ends with the test file at the latest. */
export async function connectStdio(args: readonly string[] = []) {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: ['dist/lib/cli/main.js', 'mcp', ...args],
    stderr: 'pipe',
  });
  let log = '';
  transport.stderr?.on('data', (data) => {
    log += data;
  });
  return { ...(await connect(transport)), transport, log: () => log };
}

/** Connects the official client to `/mcp` of a server. */
export function connectHttp(url: string, headers: Record<string, string> = {}) {
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), {
    requestInit: { headers },
  });
  return connect(transport as never);
}

async function connect(transport: Parameters<Client['connect']>[0]) {
  const client = new Client({ name: 'karlo-test', version: '1.0.0' });
  atEnd(() => client.close());
  await client.connect(transport);
  const call = async (name: string, args: object, options = {}) => {
    const params = { name, arguments: { ...args } };
    return (await client.callTool(params, undefined, options)) as CallToolResult;
  };
  /** The message of a call that fails. */
  const failure = async (name: string, args: object) => {
    const { isError, content } = await call(name, args);
    if (!isError) throw new Error(`Expected ${name} to fail`);
    return textOf(content);
  };
  return { client, call, failure };
}

/** The image files of a result. */
export function imagesOf({ content }: CallToolResult): { mimeType: string; data: Buffer }[] {
  return content.flatMap((block) =>
    block.type === 'image'
      ? [{ mimeType: block.mimeType, data: Buffer.from(block.data, 'base64') }]
      : [],
  );
}

/** The text of a result, which is the last block. */
export function textOf(content: readonly ContentBlock[]): string {
  const block = content.at(-1);
  return block?.type === 'text' ? block.text : '';
}

/** Hashes of the pixels of the images of a result: a difference of many pixels takes minutes to print. */
export function pixelsIn(result: CallToolResult): Promise<string[]> {
  const pixels = imagesOf(result).map(({ data }) => sharp(data).raw().toBuffer());
  return Promise.all(pixels.map(async (each) => hashOf(await each)));
}

/** The same for the images of a method. */
export async function pixelsOf(task: PromiseLike<{ images: KarloImage[] }>): Promise<string[]> {
  return (await task).images.map(({ data }) => hashOf(data));
}

function hashOf(pixels: Uint8Array): string {
  return createHash('sha256').update(pixels).digest('hex');
}
