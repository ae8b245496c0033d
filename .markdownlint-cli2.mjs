// The rules for Markdown, checked by `npm run check` in every file that git does not ignore. Nothing is
// fetched: only links within the repository are followed.
import { resolve } from 'node:path';
import relativeLinks from 'markdownlint-rule-relative-links';

const readme = resolve('README.md');
const longestReadme = 170;

/** @type {import('markdownlint').Rule} */
const readmeLength = {
  names: ['readme-length'],
  description: `README.md should have at most ${longestReadme} lines`,
  tags: ['length'],
  parser: 'none',
  function: ({ name, lines }, onError) => {
    const length = lines.at(-1) === '' ? lines.length - 1 : lines.length;
    if (name !== readme || length <= longestReadme) return;
    onError({ lineNumber: longestReadme + 1, detail: `It has ${length}. Move details to docs/` });
  },
};

export default {
  globs: ['**/*.md'],
  gitignore: true,
  noBanner: true,
  noProgress: true,
  customRules: [relativeLinks, readmeLength],
  config: {
    'line-length': false,
    'no-inline-html': false,
    // A pull request has its own title.
    'first-line-heading': false,
    // Each release in the changelog has the same sections.
    'no-duplicate-heading': { siblings_only: true },
  },
};
