/**
 * The rows as Markdown, below facts about the machine.
 * @param {import('../quality.mjs').Result} result
 */
export function toMarkdown({ machine, reference, rows }) {
  const facts = [
    `${machine.processor}, LibTorch ${machine.libtorch}, ${machine.threads} threads`,
    `karlo-tiny, float32, batches of 8; Fréchet distance to ${reference.images.length} images and ${reference.drafts.length} drafts of \`default\``,
  ];
  const head = [
    '| setting | images | background | colour | shape | Fréchet | to solution | seconds |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  return [...facts.map((fact) => `- ${fact}`), '', ...head, ...rows.map(lineOf), ''].join('\n');
}

/** @param {import('../quality.mjs').Row} row */
function lineOf({ label, prompts, background, colour, shape, frechet, distance, seconds }) {
  const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;
  return `| ${[
    ...[label, prompts, percent(background), percent(colour), percent(shape)],
    ...[frechet.toFixed(4), distance?.toFixed(1) ?? '', seconds.toFixed(3)],
  ].join(' | ')} |`;
}
