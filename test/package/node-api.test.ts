// The prebuilt addon imports only functions of Node-API that every supported runtime has, Electron included: it
// exports those of the Node.js that it contains.
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { root } from '../../scripts/build/ready.mjs';

const { binary } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const [version] = binary.napi_versions as [number];
// Has no types.
const { symbols } = createRequire(import.meta.url)('node-api-headers');
const known = Object.values<string[]>(symbols[`v${version}`]).flat();
/** What the addon exports itself. */
const exported = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** A stripped ELF file's string table names exactly the symbols that it imports and exports. */
function nodeApiOf(file: string): string[] {
  const names = readFileSync(file, 'latin1').matchAll(/(?<=\0)(?:napi|node_api)_\w+(?=\0)/g);
  return [...new Set(Array.from(names, String))].filter((name) => !exported.includes(name));
}

const folder = join(root, 'prebuilds', `${process.platform}-${process.arch}`);
/** libkarlo_cuda does without Node.js. */
const files = readdirSync(folder).filter((file) => !file.includes('karlo_cuda'));

describe.runIf(process.platform === 'linux').each(files)('%s', (file) => {
  const imported = nodeApiOf(join(folder, file));

  test('imports only functions of the Node-API version that it declares', () => {
    expect(imported).toContain('napi_create_promise');
    expect(imported.filter((name) => !known.includes(name))).toEqual([]);
  });

  test('makes no buffers over its own memory, which Electron forbids', () => {
    const forbidden = ['napi_create_external_buffer', 'napi_create_external_arraybuffer'];
    expect(imported.filter((name) => forbidden.includes(name))).toEqual([]);
    expect(known).toEqual(expect.arrayContaining(forbidden));
  });
});
