// The pages of the site, in the order of its sidebar and of llms.txt.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../build/ready.mjs';

const docs = join(root, 'docs');

/** @typedef {{ title: string, path: string }} Page `path` within docs/ */
/** @typedef {{ title: string, pages: Page[] }} Group */

/** The groups, and the pages of each by their paths. Other guides follow in the last group of guides. */
const order = {
  Start: ['getting-started', 'machines', 'models', 'unclip'],
  Generate: [
    'text-to-image',
    'variations',
    'clip-space',
    'sampling',
    'progress',
    'seeds',
    'batching',
  ],
  Serve: ['serving', 'scaling', 'clients', 'page', 'mcp', 'security'],
  Publish: ['safety', 'provenance', 'eval', 'verify'],
  Integrate: ['nextjs', 'runtimes', 'ai-sdk', 'torch', 'libtorch', 'cuda', 'migrating'],
  Understand: ['troubleshooting', 'performance', 'accuracy', 'glossary', 'architecture'],
};

/** @returns {Group[]} */
export function siteGroups() {
  const guides = namesIn('guide');
  const listed = Object.values(order).flat();
  const groups = Object.entries(order).map(([title, names]) => ({
    title,
    pages: names.filter((name) => guides.includes(name)).map((name) => pageAt(`guide/${name}.md`)),
  }));
  groups
    .at(-1)
    ?.pages.push(
      ...guides.filter((name) => !listed.includes(name)).map((name) => pageAt(`guide/${name}.md`)),
    );
  return [
    ...groups,
    { title: 'Reference', pages: pagesIn('reference') },
    {
      title: 'API',
      pages: pagesIn('reference/api').filter(({ path }) => !path.endsWith('index.md')),
    },
    { title: 'Project', pages: [...pagesAt('gallery.md'), ...pagesIn('project')] },
  ].filter(({ pages }) => pages.length > 0);
}

/** @param {string} path */
function pagesAt(path) {
  return existsSync(join(docs, path)) ? [pageAt(path)] : [];
}

/** @param {string} folder */
function pagesIn(folder) {
  return namesIn(folder).map((name) => pageAt(`${folder}/${name}.md`));
}

/** @param {string} folder */
function namesIn(folder) {
  if (!existsSync(join(docs, folder))) return [];
  return readdirSync(join(docs, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => name.replace(/\.md$/, ''))
    .sort();
}

/** A page with its first heading. @param {string} path @returns {Page} */
function pageAt(path) {
  const text = readFileSync(join(docs, path), 'utf8');
  const title = /^# (.+)$/m.exec(text)?.[1] ?? path;
  return { title: title.replaceAll(/[`\\]/g, ''), path };
}
