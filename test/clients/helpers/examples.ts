// Runs the examples of docs/guide/clients.md, each of which makes an image.
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { root } from '../../../scripts/build/ready.mjs';
import { blocksOf } from '../../support/markdown-blocks.js';
import { temporaryFolder } from '../../support/temporary-folder.js';

const blocks = blocksOf('docs/guide/clients.md');
const parent = temporaryFolder();
const photo = 'photo.png';

export const heart = join(root, 'test', 'fixtures', 'pictures', 'heart-0.png');

/** The code of the only block in a language under a heading. */
export function codeOf(section: string, language: string): string {
  const found = blocks.filter((block) => block.section === section && block.language === language);
  if (found.length === 1) return found[0]?.code as string;
  throw new Error(`Expected one ${language} block under "${section}" but found ${found.length}`);
}

export interface Runtime {
  /** The program that runs the example's file. */
  command: string;
  env?: NodeJS.ProcessEnv;
  /** npm packages by the name under which they are imported: `{ openai: 'openai-4' }`. */
  packages?: Record<string, string>;
}

const extensions = { js: 'mjs', python: 'py', sh: 'sh' };

/**
 * Runs the example under a heading in a folder with a photo, and returns the images that it saves and those whose
 * URLs it prints.
 */
export async function imagesOf(
  section: string,
  language: keyof typeof extensions,
  url: string,
  { command, env, packages = {} }: Runtime,
): Promise<string[]> {
  const folder = folderWith(packages);
  const file = join(folder, `example.${extensions[language]}`);
  writeFileSync(file, codeOf(section, language).replaceAll('http://127.0.0.1:8080', url));
  const variables = { OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: 'none', NO_PROXY: '127.0.0.1' };
  const { stdout } = await promisify(execFile)(command, [file], {
    cwd: folder,
    env: { ...process.env, ...variables, ...env },
  });
  const printed = stdout.match(/http:[^\s"']+/g) ?? [];
  return Promise.all(
    [...saved(folder), ...(await Promise.all(printed.map(download)))].map(summary),
  );
}

function folderWith(packages: Record<string, string>): string {
  const folder = mkdtempSync(join(parent, 'example-'));
  copyFileSync(heart, join(folder, photo));
  for (const [name, installed] of Object.entries(packages)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', installed), link);
  }
  return folder;
}

function saved(folder: string): Buffer[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.png') && name !== photo);
  return names.map((name) => readFileSync(join(folder, name)));
}

export async function download(url = ''): Promise<Buffer> {
  const response = await fetch(url);
  return Buffer.from(await response.arrayBuffer());
}

/** `png 1024x1024` */
export async function summary(image: Uint8Array): Promise<string> {
  const { format, width, height } = await sharp(image).metadata();
  return `${format} ${width}x${height}`;
}
