import { readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { root } from '../build/ready.mjs';

/** @import { Group } from './navigation.mjs' */

/**
 * Writes llms.txt (https://llmstxt.org), a list of all pages, and llms-full.txt, their texts.
 * @param {string} out the folder of the site
 * @param {{ title: string, description: string, groups: Group[] }} site
 */
export function writeLlms(out, { title, description, groups }) {
  const head = `# ${title}\n\n> ${description}\n`;
  const lists = groups.map((group) => {
    const lines = group.pages.map(
      (page) => `- [${page.title}](${page.path.replace(/md$/, 'html')})`,
    );
    return `\n## ${group.title}\n\n${lines.join('\n')}\n`;
  });
  writeFileSync(join(out, 'llms.txt'), `${head}${lists.join('')}`);
  const texts = groups.flatMap(({ pages }) => pages.map(({ path }) => textOf(path)));
  writeFileSync(join(out, 'llms-full.txt'), `${head}\n${texts.join('\n')}`);
}

/** The Markdown of a page, without comments. @param {string} path */
function textOf(path) {
  const text = readFileSync(join(root, 'docs', path), 'utf8').replaceAll(/<!--[\s\S]*?-->\n*/g, '');
  return `<!-- ${posix.normalize(path)} -->\n\n${text}`;
}
