import { palette } from './colours.mjs';

/** The shapes of karlo-tiny's vocabulary. */
export const shapes = [
  ...['circle', 'square', 'triangle', 'star', 'heart'],
  ...['ring', 'diamond', 'moon', 'cross', 'hexagon'],
];

const colours = Object.keys(palette);
const pairs = colours.flatMap((colour) =>
  colours.filter((other) => other !== colour).map((background) => ({ colour, background })),
);

/**
 * @typedef {object} Case
 * @property {string} prompt
 * @property {string} colour of the shape
 * @property {string} background
 * @property {string} shape
 * @property {number} seed
 */

/**
 * Prompts of a coloured shape on a coloured background, each with its own seed. Every pair of colours comes
 * once in 132 prompts, each time with another shape.
 * @param {number} count
 * @param {number} firstSeed
 * @returns {Case[]}
 */
export function cases(count, firstSeed = 0) {
  return Array.from({ length: count }, (_, i) => {
    // 37 is coprime to 132: the first prompts already have many colours.
    const { colour, background } = /** @type {typeof pairs[number]} */ (
      pairs[(37 * i) % pairs.length]
    );
    const shape = String(shapes[(i + Math.floor(i / pairs.length)) % shapes.length]);
    const prompt = promptOf({ colour, background, shape });
    return { prompt, colour, background, shape, seed: firstSeed + i };
  });
}

/** @param {Pick<Case, 'colour' | 'background' | 'shape'>} scene */
export function promptOf({ colour, background, shape }) {
  return `${withArticle(colour)} ${shape} on ${withArticle(background)} background`;
}

/** @param {string} word */
function withArticle(word) {
  return `${/^[aeiou]/.test(word) ? 'an' : 'a'} ${word}`;
}
