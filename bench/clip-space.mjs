// npm run bench -- clip-space [OPTION …]: whether edits and mixes of karlo-tiny's images have the colours and shapes
// that were asked for.
import { Command } from 'commander';
import { Karlo } from './compare/package.mjs';
import { coloursOf, palette } from './quality/colours.mjs';
import { promptOf, shapes } from './quality/prompts.mjs';
import { foreground, overlapOf, shapeOf } from './quality/silhouettes.mjs';

/** @typedef {import('./quality/prompts.mjs').Case} Scene */
/** @typedef {import('../lib/index.js').KarloImage} KarloImage */
/** @typedef {import('../lib/images/pixels.js').Pixels} Pixels */

/**
 * How an image is edited.
 * @typedef {object} Setting
 * @property {number} strength
 * @property {'to' | ''} prompt whether the decoder reads the text of the edited image, or none
 * @property {number} guidanceScale
 * @property {number} refinements
 * @property {number} steps
 */

/**
 * An image to edit, and what is found in it.
 * @typedef {object} Source
 * @property {Scene} scene
 * @property {KarloImage} image
 * @property {string} background
 * @property {string | undefined} shape
 */

const numbers = (/** @type {string} */ text) => text.split(',').map(Number);
const options = new Command('npm run bench -- clip-space')
  .description(
    'Edits red shapes to blue ones, and mixes shapes. Several settings are all combined.',
  )
  .option('--cases <number>', 'images to edit', Number, 60)
  .option('--strength <list>', 'strengths of the edit', numbers, [0.4, 0.6])
  .option('--guidance <list>', 'guidance scales of the decoder', numbers, [4])
  .option('--refinements <list>', 'fixed-point iterations of the inversion', numbers, [2])
  .option('--steps <list>', 'steps of the inversion and of the decoder', numbers, [50])
  .parse()
  .opts();

const [from, to] = ['red', 'blue'];
const batchSize = 4;
const model = 'karlo-tiny';
const karlo = await Karlo.load({ model, device: 'cpu', dtype: 'float32' });

const sources = await redSources(options.cases);
console.log(`${sources.length} images of which the judge finds a ${from} shape

| strength | prompt | guidance | refinements | steps | ${to} | not ${from} | shape kept | overlap | background kept |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |`);
// The shape's own pixels with red and blue exchanged: what the judges say of an edit that changes nothing else.
report(
  ['painted', '', '', '', ''],
  sources.map(({ image }) => painted(image)),
);
for (const setting of settings()) {
  const { strength, prompt, guidanceScale, refinements, steps } = setting;
  report([strength, prompt, guidanceScale, refinements, steps], await edited(setting));
}
await mixes();
await karlo.dispose();

/** @returns {Setting[]} every combination */
function settings() {
  const { strength: strengths, guidance, refinements: iterations, steps: counts } = options;
  return counts.flatMap((/** @type {number} */ steps) =>
    iterations.flatMap((/** @type {number} */ refinements) =>
      guidance.flatMap((/** @type {number} */ guidanceScale) =>
        strengths.flatMap((/** @type {number} */ strength) =>
          /** @type {const} */ (['', 'to']).map((prompt) => {
            return { strength, prompt, guidanceScale, refinements, steps };
          }),
        ),
      ),
    ),
  );
}

/**
 * Generated images whose shape is judged as red. The model paints another colour now and then.
 * @param {number} count
 */
async function redSources(count) {
  const backgrounds = Object.keys(palette).filter((colour) => ![from, to].includes(colour));
  /** @type {Source[]} */
  const found = [];
  for (let seed = 0; found.length < count; seed += 1) {
    // Every shape comes with every background once in a hundred.
    const background = String(
      backgrounds[(3 * seed + Math.floor(seed / shapes.length)) % backgrounds.length],
    );
    const shape = String(shapes[seed % shapes.length]);
    const prompt = promptOf({ colour: from, background, shape });
    const scene = { prompt, colour: from, background, shape, seed };
    const { images } = await karlo.textToImage(prompt, { seed });
    const [image] = /** @type {[KarloImage]} */ (images);
    const judged = judge(image);
    if (judged.colour === from) found.push({ scene, image, ...judged });
  }
  return found;
}

/**
 * What the judges find in an image.
 * @param {Pixels} image
 */
function judge(image) {
  const { background, shape: colour } = coloursOf(image);
  return { background, colour, shape: shapeOf(image) };
}

/** @param {Setting} setting */
async function edited({ strength, prompt, guidanceScale, refinements, steps }) {
  const edits = sources.map(async ({ scene, image }) => {
    const blue = promptOf({ ...scene, colour: to });
    const { images } = await karlo.edit(image, {
      ...{ from: scene.prompt, to: blue, seed: scene.seed, ...(prompt && { prompt: blue }) },
      ...{ strength, refinements, batchSize, decoder: { steps, guidanceScale } },
    });
    return /** @type {KarloImage} */ (images[0]);
  });
  return await Promise.all(edits);
}

/**
 * Prints a row of the table.
 * @param {(string | number)[]} label
 * @param {readonly Pixels[]} images one for each source
 */
function report(label, images) {
  const judged = images.map(judge);
  const share = (/** @type {(one: typeof judged[number], source: Source) => boolean} */ holds) =>
    percent(judged.filter((one, i) => holds(one, sourceAt(i))).length / judged.length);
  const overlaps = images.map((image, i) =>
    overlapOf(foreground(image), foreground(sourceAt(i).image)),
  );
  const cells = [
    share(({ colour }) => colour === to),
    share(({ colour }) => colour !== from),
    share(({ shape }, source) => shape === source.shape),
    percent(overlaps.reduce((sum, one) => sum + one, 0) / overlaps.length),
    share(({ background }, source) => background === source.background),
  ];
  console.log(`| ${[...label, ...cells].join(' | ')} |`);
}

/** @param {number} i */
function sourceAt(i) {
  return /** @type {Source} */ (sources[i]);
}

/** @param {Pixels} image */
function painted(image) {
  const isShape = foreground(image);
  const data = image.data.map((value, i) =>
    isShape[Math.floor(i / 3)] ? Number(image.data[i + Number([2, 0, -2][i % 3])]) : value,
  );
  return { width: image.width, height: image.height, data };
}

/**
 * Mixes each shape with another one, and prints how often the judge finds either; for comparison, how often it
 * finds the first one in images of its prompt.
 */
async function mixes() {
  console.log('\n| weights | first shape | second shape |\n| --- | --- | --- |');
  const pairs = shapes.flatMap((first, i) =>
    [0, 1].map((seed) => {
      const second = String(shapes[(i + 1 + 3 * seed) % shapes.length]);
      const scene = { colour: from, background: 'white', shape: first, seed };
      const [prompt, other] = [promptOf(scene), promptOf({ ...scene, shape: second })];
      return { first, second, other, scene: { ...scene, prompt } };
    }),
  );
  /** @typedef {typeof pairs[number]} Pair */
  /** @param {string} label @param {(pair: Pair) => PromiseLike<{ images: KarloImage[] }>} generate */
  const row = async (label, generate) => {
    const found = await Promise.all(
      pairs.map(async (pair) => {
        const { images } = await generate(pair);
        return shapeOf(/** @type {Pixels} */ (images[0]));
      }),
    );
    const share = (/** @type {'first' | 'second'} */ key) =>
      percent(found.filter((shape, i) => shape === pairs[i]?.[key]).length / found.length);
    console.log(`| ${label} | ${share('first')} | ${share('second')} |`);
  };
  await row('prompt of the first', ({ scene: { prompt, seed } }) =>
    karlo.textToImage(prompt, { seed, batchSize }),
  );
  for (const weight of [0, 0.25, 0.5, 0.75, 1]) {
    await row(`${1 - weight} : ${weight}`, ({ scene: { prompt, seed }, other }) => {
      const parts = [
        { prompt, weight: 1 - weight },
        { prompt: other, weight },
      ];
      return karlo.mix(parts, { seed, batchSize });
    });
  }
}

/** @param {number} share */
function percent(share) {
  return `${Math.round(100 * share)} %`;
}
