import type { WriteStream } from 'node:tty';
import { deflateSync } from 'node:zlib';
import type { Pixels } from '../../images/pixels.js';
import { sharp } from '../../images/sharp.js';
import { askTerminal, type TerminalAbility, terminalAbility } from './query.js';
import { encodeSixel } from './sixel.js';

export { encodeSixel } from './sixel.js';

/** Rows of a preview, if the terminal has that many. */
const maxRows = 16;
/** Kitty's limit for the base64 text of one escape sequence. */
const chunkLength = 4096;

/** The size of an image in terminal cells. */
interface Cells {
  readonly columns: number;
  readonly rows: number;
}

/**
 * An RGB image in kitty's graphics protocol. It replaces the previous image with the same `id`. The
 * cursor does not move, and the terminal sends no reply.
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

/** An RGB image in iTerm2's protocol, which WezTerm supports too: a PNG in base64. */
export async function encodeITerm({ width, height, data }: Pixels, cells: Cells): Promise<string> {
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  const control = `inline=1;size=${png.length};width=${cells.columns};height=${cells.rows};preserveAspectRatio=1`;
  return `\x1b]1337;File=${control}:${png.toString('base64')}\x07`;
}

/** An image in the terminal that the next one replaces. It scrolls up with the text below it. */
export class TerminalImage {
  readonly #output: WriteStream;
  readonly #ability: TerminalAbility;
  readonly #id = 1 + Math.floor(Math.random() * 0xfffffe);
  #rows = 0;

  private constructor(output: WriteStream, ability: TerminalAbility) {
    this.#output = output;
    this.#ability = ability;
  }

  /** @returns undefined if the output is not a terminal, or cannot show images */
  static async open(
    output: WriteStream = process.stderr,
    input: typeof process.stdin = process.stdin,
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<TerminalImage | undefined> {
    if (!output.isTTY) return undefined;
    const ask = async (text: string) => (input.isTTY ? askTerminal(input, output, text) : '');
    const ability = await terminalAbility(env, ask);
    return ability && new TerminalImage(output, ability);
  }

  /**
   * Shows an image in place of the previous one. The cursor must be on the row below that one, in any
   * column; afterwards it is in the first column of that row.
   */
  async show(image: Pixels): Promise<void> {
    const cells = this.#cellsFor(image);
    const sequence = await this.#encode(image, cells);
    const { rows } = cells;
    // Newlines make room, by scrolling if necessary; only then can the cursor move up.
    const room = this.#rows === 0 ? '\n'.repeat(rows) : '';
    // Terminals disagree on where an image leaves the cursor, so it is saved (DECSC) and restored (DECRC).
    this.#output.write(`\r${room}\x1b[${rows}A\x1b7${sequence}\x1b8\x1b[${rows}B`);
    this.#rows = rows;
  }

  /** Keeps the image: the next one is shown below it. */
  keep(): void {
    this.#rows = 0;
  }

  #cellsFor({ width, height }: Pixels): Cells {
    // A terminal whose size was never set reports none.
    const fitting = Math.min(maxRows, Math.max(1, (this.#output.rows || 24) - 2));
    const rows = this.#rows || fitting;
    // A cell is about twice as tall as it is wide.
    const columns = Math.max(1, Math.round((2 * rows * width) / height));
    return { columns: Math.min(columns, this.#output.columns || 80), rows };
  }

  async #encode(image: Pixels, cells: Cells): Promise<string> {
    const { protocol, rowPixels } = this.#ability;
    if (protocol === 'kitty') return encodeKitty(image, cells, this.#id);
    if (protocol === 'iterm') return encodeITerm(image, cells);
    return encodeSixel(await resizeToHeight(image, cells.rows * rowPixels));
  }
}

/** For sixels, which are shown pixel by pixel: the image has to have the height of its cells. */
async function resizeToHeight({ width, height, data }: Pixels, to: number): Promise<Pixels> {
  const { data: resized, info } = await sharp(data, { raw: { width, height, channels: 3 } })
    .resize({ height: to })
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: resized };
}
