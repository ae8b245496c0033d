// What the site has from outside docs/: Markdown files as pages, and other files that pages link to as downloads.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { root } from '../build/ready.mjs';

/** The pages of docs/project/, and the files that they show. @type {Readonly<Record<string, string>>} */
const projectPages = {
  'contributing.md': 'CONTRIBUTING.md',
  'changelog.md': 'CHANGELOG.md',
  'security-policy.md': 'SECURITY.md',
  'notices.md': 'NOTICE.md',
  'examples.md': 'examples/README.md',
  'benchmarks.md': 'bench/README.md',
  'page.md': 'web/README.md',
  'karlo-tiny.md': 'models/karlo-tiny/README.md',
};
const pageOf = new Map([
  ['README.md', '../index.md'],
  ...Object.entries(projectPages).map(([page, file]) => /** @type {const} */ ([file, page])),
]);

/** Copies the files of the project into docs/project/, with links that lead to the same places. */
export function writeProjectPages() {
  const folder = join(root, 'docs', 'project');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [page, file] of Object.entries(projectPages)) {
    const text = readFileSync(join(root, file), 'utf8').replaceAll(
      /(\]\()([^)\s:#]+)(?=[)#])/g,
      (_, start, link) => `${start}../../${posix.join(posix.dirname(file), link)}`,
    );
    writeFileSync(join(folder, page), text);
  }
}

/** Files outside docs/ that a page of the site links to. @type {Set<string>} */
const linked = new Set();

/**
 * A link of a page as the site has it: one that leaves docs/ leads to the page of a Markdown file, or to a copy of a
 * file.
 * @param {string} link
 * @param {string} page its path in docs/
 */
export function siteLink(link, page) {
  const [path = '', hash] = link.split('#');
  if (path === '' || /^(?:[a-z]+:|\/)/.test(path)) return link;
  const file = posix.join('docs', posix.dirname(page), path);
  const up = '../'.repeat(page.split('/').length - 1);
  const suffix = hash === undefined ? '' : `#${hash}`;
  if (file.startsWith('docs/')) return link.replace(/^(?![.]{1,2}\/)/, './');
  const project = pageOf.get(file.replace(/\/$/, '')) ?? pageOf.get(posix.join(file, 'README.md'));
  if (project !== undefined) return `${up || './'}project/${project}${suffix}`;
  if (!existsSync(join(root, file))) throw new Error(`docs/${page}: there is no ${file}`);
  linked.add(file);
  return `${up || './'}files/${file}`;
}

/** @param {string} link as `siteLink` returns it */
export function isFile(link) {
  return /^(?:\.\/|(?:\.\.\/)+)files\//.test(link);
}

/** Copies the files that pages link to. @param {string} out the folder of the site */
export function copyLinkedFiles(out) {
  for (const file of linked) {
    const copy = join(out, 'files', file);
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(join(root, file), copy);
  }
}
