import type { WriteStream } from 'node:tty';
import { deflateSync } from 'node:zlib';
import type { Pixels } from '../../images/pixels.js';
import { sharp } from '../../images/sharp.js';
import { askTerminal, type TerminalAbility, terminalAbility } from './query.js';
import { encodeSixel } from './sixel.js';

export { encodeSixel } from './sixel.js';

/** Rows that a preview takes, where the terminal has them to spare. */
const mostRows = 16;
/** Kitty takes no more base64 at once. */
const chunkLength = 4096;

/** In how many cells a terminal shows a picture. */
interface Cells {
  readonly columns: number;
  readonly rows: number;
}

/**
 * An RGB picture in kitty's protocol. One of the same `id` takes the place of the one before. The
 * cursor stays, and the terminal answers nothing.
 */
export function encodeKitty({ width, height, data }: Pixels, cells: Cells, id: number): string {
  const payload = deflateSync(data).toString('base64');
  const control = `a=T,f=24,o=z,s=${width},v=${height},c=${cells.columns},r=${cells.rows},i=${id},p=1,C=1,q=2`;
  const chunks = payload.match(new RegExp(`.{1,${chunkLength}}`, 'g')) ?? [];
  return chunks
    .map((chunk, i) => {
      const more = i < chunks.length - 1 ? 1 : 0;
      return `\x1b_G${i === 0 ? `${control},` : ''}m=${more};${chunk}\x1b\\`;
    })
    .join('');
}

/** An RGB picture in iTerm2's protocol, which WezTerm understands, too: a PNG in base64. */
export async function encodeITerm({ width, height, data }: Pixels, cells: Cells): Promise<string> {
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const control = `inline=1;size=${png.length};width=${cells.columns};height=${cells.rows};preserveAspectRatio=1`;
  return `\x1b]1337;File=${control}:${png.toString('base64')}\x07`;
}

/** A picture on the terminal that the next one replaces. It scrolls up with the text below it. */
export class TerminalPicture {
  readonly #output: WriteStream;
  readonly #ability: TerminalAbility;
  readonly #id = 1 + Math.floor(Math.random() * 0xfffffe);
  #rows = 0;

  private constructor(output: WriteStream, ability: TerminalAbility) {
    this.#output = output;
    this.#ability = ability;
  }

  /** @returns undefined where the output is no terminal, or one that shows no pictures */
  static async open(
    output: WriteStream = process.stderr,
    input: typeof process.stdin = process.stdin,
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<TerminalPicture | undefined> {
    if (!output.isTTY) return undefined;
    const ask = (text: string) => (input.isTTY ? askTerminal(input, output, text) : none());
    const ability = await terminalAbility(env, ask);
    return ability && new TerminalPicture(output, ability);
  }

  /**
   * Shows a picture over the one before. The cursor must be on the row below that one, in any column;
   * there it is afterwards, in the first.
   */
  async show(picture: Pixels): Promise<void> {
    const cells = this.#cellsFor(picture);
    const sequence = await this.#encode(picture, cells);
    const { rows } = cells;
    // New lines make room, by scrolling where need be, and only then is there a way up.
    const room = this.#rows === 0 ? '\n'.repeat(rows) : '';
    // Where a picture moves the cursor, terminals disagree: it is kept (DECSC) and put back (DECRC).
    this.#output.write(`\r${room}\x1b[${rows}A\x1b7${sequence}\x1b8\x1b[${rows}B`);
    this.#rows = rows;
  }

  /** Lets the picture stand: the next one comes below it. */
  keep(): void {
    this.#rows = 0;
  }

  #cellsFor({ width, height }: Pixels): Cells {
    // A terminal that was never told its size has none.
    const fitting = Math.min(mostRows, Math.max(1, (this.#output.rows || 24) - 2));
    const rows = this.#rows || fitting;
    // A cell is about twice as high as wide.
    const columns = Math.max(1, Math.round((2 * rows * width) / height));
    return { columns: Math.min(columns, this.#output.columns || 80), rows };
  }

  async #encode(picture: Pixels, cells: Cells): Promise<string> {
    const { protocol, rowPixels } = this.#ability;
    if (protocol === 'kitty') return encodeKitty(picture, cells, this.#id);
    if (protocol === 'iterm') return encodeITerm(picture, cells);
    return encodeSixel(await scaled(picture, cells.rows * rowPixels));
  }
}

async function none(): Promise<string> {
  return '';
}

/** Sixels are pixels: the picture itself gets the height that its cells have. */
async function scaled({ width, height, data }: Pixels, to: number): Promise<Pixels> {
  const { data: resized, info } = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ height: to })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: resized };
}
