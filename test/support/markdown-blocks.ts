import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root } from '../../scripts/build/ready.mjs';

export interface Block {
  /** `docs/reference/options.md:5` */
  name: string;
  /** The heading above it. */
  section: string;
  language: string;
  code: string;
  /** Why it is not run. */
  reason: string | undefined;
}

const folders = [
  ...['.', 'docs', 'docs/guide', 'docs/reference', 'examples', 'bench', 'web'],
  ...['models/karlo-tiny', 'packages/karlo-serve'],
];

/** Written from the source, whose tests run the commands. */
const generated = [
  'docs/gallery.md',
  ...['cli.md', 'environment.md', 'http.md'].map((name) => `docs/reference/${name}`),
];

/** The paths of the Markdown files that people read, except generated ones. */
export function markdownPages(): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(join(root, folder))
        .filter((name) => name.endsWith('.md'))
        .map((name) => posix.join(folder, name)),
    )
    .filter((page) => !generated.includes(page));
}

/** The fenced code blocks of a Markdown file. */
export function blocksOf(page: string): Block[] {
  return blocksIn(page, readFileSync(join(root, page), 'utf8'));
}

/** The fenced code blocks in the comments of a TypeScript file. */
export function exampleBlocks(file: string): Block[] {
  const text = readFileSync(join(root, file), 'utf8');
  return blocksIn(file, text.replaceAll(/^ +\* ?/gm, ''));
}

function blocksIn(page: string, text: string): Block[] {
  const fences = text.matchAll(/(?:<!-- not run: (.+) -->\n+)?^ *```(\w+)\n([\s\S]*?)^ *```$/gm);
  return [...fences].map(({ index, 1: reason, 2: language = '', 3: code = '' }) => {
    const before = text.slice(0, index);
    const section = [...before.matchAll(/^##+ (.+)$/gm)].at(-1)?.[1] ?? '';
    return { name: `${page}:${before.split('\n').length}`, section, language, code, reason };
  });
}
