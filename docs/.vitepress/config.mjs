// The site that `npm run docs` builds. Everything is in its own files: it loads nothing from other hosts.
import { defineConfig } from 'vitepress';
import { writeLlms } from '../../scripts/docs/llms.mjs';
import { siteGroups } from '../../scripts/docs/navigation.mjs';
import { copyLinkedFiles, isFile, siteLink } from '../../scripts/docs/site-files.mjs';

const title = 'Karlo for Node';
const description =
  'Text-to-image generation, image variation and editing in Node.js, without Python';
const groups = siteGroups();

export default defineConfig({
  title,
  description,
  lang: 'en',
  head: [['meta', { name: 'referrer', content: 'no-referrer' }]],
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    externalLinkIcon: true,
    nav: [
      { text: 'Guide', link: '/guide/getting-started', activeMatch: '^/guide/' },
      { text: 'Reference', link: '/reference/options', activeMatch: '^/reference/' },
      { text: 'Gallery', link: '/gallery' },
    ],
    sidebar: groups.map((group) => ({
      text: group.title,
      collapsed: false,
      items: group.pages.map((page) => ({
        text: page.title,
        link: `/${page.path.replace(/\.md$/, '')}`,
      })),
    })),
  },
  markdown: {
    // The default themes have comments with too little contrast.
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
    config(md) {
      md.core.ruler.push('empty-headers', ({ tokens }) => {
        for (const [i, { type, content }] of tokens.entries()) {
          if (type !== 'inline' || content !== '' || tokens[i - 1]?.type !== 'th_open') continue;
          for (const token of [tokens[i - 1], tokens[i + 1]]) if (token) token.tag = 'td';
        }
      });
      md.core.ruler.push('site-links', ({ tokens, env }) => {
        for (const link of tokens.flatMap(({ children }) => children ?? [])) {
          if (link.type !== 'link_open') continue;
          const href = siteLink(link.attrGet('href') ?? '', env.relativePath);
          link.attrSet('href', href);
          // A plain link, which the router of the site leaves to the browser.
          if (isFile(href)) link.attrSet('target', '_self');
        }
      });
    },
  },
  buildEnd({ outDir }) {
    copyLinkedFiles(outDir);
    writeLlms(outDir, { title, description, groups });
  },
});
