/** @typedef {import('../quality.mjs').Row} Row */

const width = 400;
const height = 260;
const margin = { left: 52, right: 14, top: 34, bottom: 42 };
/** Readable on white and on black. */
const grey = '#808080';
/** @type {Record<string, string>} */
const colours = { ddpm: '#888888', ddim: '#d08000', 'dpm++': '#2080d0', unipc: '#b040b0' };

/**
 * @typedef {object} Panel
 * @property {string} title
 * @property {(row: Row) => number | undefined} value
 */

/** @type {readonly Panel[]} */
const panels = [
  { title: 'shape in the colour of the prompt, %', value: ({ colour }) => 100 * colour },
  { title: 'shape with the outline of the prompt, %', value: ({ shape }) => 100 * shape },
  { title: 'Fréchet distance (less is better)', value: ({ frechet }) => frechet },
  { title: 'distance to the ODE’s solution, of 255', value: ({ distance }) => distance },
];

/**
 * Curves over the decoder's steps, one for each sampler, as SVG.
 * @param {readonly Row[]} rows
 */
export function plot(rows) {
  const curves = rows.filter(
    ({ group, interval }) => group === 'decoder' && interval?.join() === '0,1',
  );
  const parts = panels.map((panel, i) => {
    const [x, y] = [(i % 2) * width, Math.floor(i / 2) * height];
    return `<g transform="translate(${x} ${y})">${drawPanel(panel, curves)}</g>`;
  });
  const [w, h] = [2 * width, 2 * height + 24];
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" font-family="sans-serif" font-size="12" fill="${grey}">`,
    ...parts,
    `<g transform="translate(${margin.left} ${2 * height + 14})">${legend()}</g>`,
    '</svg>\n',
  ].join('\n');
}

/**
 * @param {Panel} panel
 * @param {readonly Row[]} rows
 */
function drawPanel({ title, value }, rows) {
  const points = rows.flatMap((row) => {
    const y = value(row);
    return y === undefined || row.steps === undefined ? [] : [{ ...row, steps: row.steps, y }];
  });
  const x = scale(
    points.map(({ steps }) => Math.log(steps)),
    margin.left,
    width - margin.right,
  );
  const y = scale(
    points.map((point) => point.y),
    height - margin.bottom,
    margin.top,
  );
  const ticks = [...new Set(points.map(({ steps }) => steps))].sort((a, b) => a - b);
  const lines = Object.entries(colours).map(([name, colour]) => {
    const own = points.filter(({ sampler }) => sampler === name).sort((a, b) => a.steps - b.steps);
    const path = own.map((one) => `${x.at(Math.log(one.steps))},${y.at(one.y)}`).join(' ');
    return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  });
  return [
    text(margin.left, 20, title, 'start'),
    ...ticks.map((n) => text(x.at(Math.log(n)), height - margin.bottom + 18, String(n), 'middle')),
    text(width / 2, height - 6, 'decoder steps', 'middle'),
    ...[y.min, (y.min + y.max) / 2, y.max].map((tick) => gridLine(y.at(tick), label(tick))),
    ...lines,
  ].join('\n');
}

/**
 * @param {readonly number[]} values
 * @param {number} from
 * @param {number} to
 */
function scale(values, from, to) {
  const [min, max] = [Math.min(...values), Math.max(...values)];
  const at = (/** @type {number} */ v) =>
    Number((from + ((v - min) / (max - min || 1)) * (to - from)).toFixed(1));
  return { min, max, at };
}

/** @param {number} value */
function label(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(3))) : '';
}

/**
 * @param {number} y
 * @param {string} name
 */
function gridLine(y, name) {
  const end = width - margin.right;
  return `<line x1="${margin.left}" x2="${end}" y1="${y}" y2="${y}" stroke="${grey}" stroke-opacity="0.3"/>${text(margin.left - 6, y + 4, name, 'end')}`;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {string} content
 * @param {string} anchor
 */
function text(x, y, content, anchor) {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}">${content}</text>`;
}

function legend() {
  return Object.entries(colours)
    .map(
      ([name, colour], i) =>
        `<line x1="${150 * i}" x2="${150 * i + 24}" y1="-4" y2="-4" stroke="${colour}" stroke-width="2"/>${text(150 * i + 30, 0, name, 'start')}`,
    )
    .join('');
}
