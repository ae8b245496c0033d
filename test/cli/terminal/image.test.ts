import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { ReadStream, WriteStream } from 'node:tty';
import { inflateSync } from 'node:zlib';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import {
  encodeITerm,
  encodeKitty,
  encodeSixel,
  TerminalImage,
} from '../../../lib/cli/terminal/image.js';
import { askTerminal, terminalAbility } from '../../../lib/cli/terminal/query.js';
import type { Pixels } from '../../../lib/images/pixels.js';

/** Replaces control characters by visible symbols, for patterns. */
function visible(text: string): string {
  return text.replaceAll('\x1b', '␛').replaceAll('\x07', '␇');
}

/** A colour ramp with an edge in it. */
function ramp(width: number, height: number): Pixels {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
    const ramp = [(255 * x) / width, (255 * y) / height, 255 - (255 * x) / width][c] as number;
    return x > width * 0.75 ? 30 : ramp;
  });
  return { width, height, data };
}

/** Reads sixels as a terminal does. */
function decodeSixel(text: string): Pixels {
  const [, head = '', body = ''] = /^␛P0;1q"1;1;([\d;]+)(.*)␛\\$/s.exec(visible(text)) ?? [];
  const [width = 0, height = 0] = head.split(';').map(Number);
  const data = new Uint8Array(3 * width * height);
  const drawn = new Uint8Array(width * height);
  const palette = new Map<number, number[]>();
  let [x, top, colour] = [0, 0, 0];
  for (const [token] of body.matchAll(/#\d+(;2;\d+;\d+;\d+)?|!\d+[?-~]|[?-~]|\$|-/g)) {
    if (token[0] === '#') {
      const [number = 0, kind, ...percent] = token.slice(1).split(';').map(Number);
      if (kind === 2)
        palette.set(
          number,
          percent.map((value) => Math.round(value * 2.55)),
        );
      else colour = number;
    } else if (token === '$') x = 0;
    else if (token === '-') [x, top] = [0, top + 6];
    else {
      const count = token[0] === '!' ? Number.parseInt(token.slice(1), 10) : 1;
      const bits = token.charCodeAt(token.length - 1) - 63;
      for (let end = x + count; x < end; x++) {
        for (let row = 0; row < 6; row++) {
          if (!(bits & (1 << row))) continue;
          const at = (top + row) * width + x;
          data.set(palette.get(colour) as number[], 3 * at);
          drawn[at] = (drawn[at] as number) + 1;
        }
      }
    }
  }
  // Each pixel once, and none outside the image.
  expect(drawn.every((times) => times === 1)).toBe(true);
  expect(palette.size).toBeLessThanOrEqual(256);
  return { width, height, data };
}

/** The mean colour of each 8 x 8 block: what dithering preserves. */
function blocks({ width, height, data }: Pixels): number[] {
  const [across, down] = [Math.floor(width / 8), Math.floor(height / 8)];
  return Array.from({ length: 3 * across * down }, (_, i) => {
    const [c, bx, by] = [i % 3, Math.floor(i / 3) % across, Math.floor(i / 3 / across)];
    let sum = 0;
    for (let p = 0; p < 64; p++) {
      sum += data[3 * ((by * 8 + (p >> 3)) * width + bx * 8 + (p & 7)) + c] as number;
    }
    return sum / 64;
  });
}

describe('sixel', () => {
  test.each([
    [64, 64],
    [40, 37],
    [1, 1],
    [3, 100],
    [300, 5],
  ])('%d x %d decodes to the same colours', (width, height) => {
    const source = ramp(width, height);
    const shown = decodeSixel(encodeSixel(source));
    expect([shown.width, shown.height]).toEqual([width, height]);
    const [expected, received] = [blocks(source), blocks(shown)];
    const off = expected.map((value, i) => Math.abs(value - (received[i] as number)));
    expect(Math.max(0, ...off)).toBeLessThan(14);
    expect(off.reduce((sum, value) => sum + value, 0) / Math.max(1, off.length)).toBeLessThan(4);
  });

  test('colours of the palette are exact', () => {
    const data = Uint8Array.from([
      255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 51, 0, 204,
    ]);
    expect(decodeSixel(encodeSixel({ width: 6, height: 1, data })).data).toEqual(data);
  });

  test('a plain image is short, because runs are counted', () => {
    const plain = { width: 256, height: 256, data: new Uint8Array(3 * 256 * 256).fill(255) };
    expect(encodeSixel(plain).length).toBeLessThan(6000);
  });
});

test('kitty receives the pixels in chunks', () => {
  const data = new Uint8Array(randomBytes(3 * 90 * 70));
  const source = { width: 90, height: 70, data };
  const text = visible(encodeKitty(source, { columns: 20, rows: 10 }, 77));
  const parts = Array.from(text.matchAll(/␛_G([^;]*);([A-Za-z0-9+/=]*)␛\\/g));
  expect(parts.map(([whole]) => whole).join('')).toBe(text);
  expect(parts.length).toBeGreaterThan(2);
  expect(parts.every(([, , base64]) => (base64 as string).length <= 4096)).toBe(true);
  const last = parts.length - 1;
  expect(parts.map(([, control]) => (control as string).slice(-3))).toEqual(
    parts.map((_, i) => (i === last ? 'm=0' : 'm=1')),
  );
  expect(parts[0]?.[1]).toBe('a=T,f=24,o=z,s=90,v=70,c=20,r=10,i=77,p=1,C=1,q=2,m=1');
  const packed = Buffer.from(parts.map(([, , base64]) => base64).join(''), 'base64');
  expect(new Uint8Array(inflateSync(packed))).toEqual(source.data);
});

test('iTerm2 receives a PNG', async () => {
  const source = ramp(30, 20);
  const text = await encodeITerm(source, { columns: 24, rows: 8 });
  const [, control, data] = /^␛\]1337;File=([^:]*):([^␇]*)␇$/.exec(visible(text)) ?? [];
  const png = Buffer.from(data as string, 'base64');
  expect(control).toBe(`inline=1;size=${png.length};width=24;height=8;preserveAspectRatio=1`);
  expect(new Uint8Array(await sharp(png).raw().toBuffer())).toEqual(source.data);
});

describe('terminalAbility', () => {
  const silent = async () => '';
  const never = () => Promise.reject(new Error('asked'));
  test.each<[string, NodeJS.ProcessEnv, string]>([
    ['kitty', { TERM: 'xterm-kitty' }, 'kitty'],
    ['kitty, under another name', { KITTY_WINDOW_ID: '1', TERM: 'xterm-256color' }, 'kitty'],
    ['Ghostty', { TERM: 'xterm-ghostty' }, 'kitty'],
    ['iTerm2', { TERM_PROGRAM: 'iTerm.app' }, 'iterm'],
    ['iTerm2 through SSH', { LC_TERMINAL: 'iTerm2' }, 'iterm'],
    ['WezTerm', { TERM_PROGRAM: 'WezTerm' }, 'iterm'],
  ])('%s is detected by its environment', async (_name, env, protocol) => {
    expect(await terminalAbility(env, never)).toEqual({ protocol, rowPixels: 20 });
  });

  test('other terminals are asked for sixels and the height of a row', async () => {
    const foot = async (question: string) => {
      expect(question).toBe('\x1b[16t\x1b[c');
      return '\x1b[6;26;13t\x1b[?62;4;22c';
    };
    expect(await terminalAbility({}, foot)).toEqual({ protocol: 'sixel', rowPixels: 26 });
    const brief = async () => '\x1b[?64;1;4c';
    expect(await terminalAbility({}, brief)).toEqual({ protocol: 'sixel', rowPixels: 20 });
    // 4 as the terminal's class means no sixels.
    for (const no of ['\x1b[?4;6c', '\x1b[?64;1;2;14;42c', 'x4c', '']) {
      expect(await terminalAbility({}, async () => no)).toBeUndefined();
    }
  });

  test('the outer terminal is ignored within tmux and screen', async () => {
    for (const inner of [{ TMUX: '/tmp/x' }, { STY: '1' }, { TERM: 'screen-256color' }]) {
      expect(await terminalAbility({ KITTY_WINDOW_ID: '1', ...inner }, silent)).toBeUndefined();
    }
    expect(await terminalAbility({ TERM: 'dumb' }, never)).toBeUndefined();
  });
});

class Input extends EventEmitter {
  isTTY = true;
  isRaw = false;
  paused = false;
  setRawMode(raw: boolean) {
    this.isRaw = raw;
  }
  pause() {
    this.paused = true;
  }
}

class Output {
  isTTY = true;
  rows = 40;
  columns = 80;
  text = '';
  onWrite = () => {};
  write(text: string) {
    this.text += text;
    this.onWrite();
  }
}

describe('askTerminal', () => {
  test('ends with the complete answer, and restores the input', async () => {
    const [input, output] = [new Input(), new Output()];
    output.onWrite = () => {
      expect(input.isRaw).toBe(true);
      for (const piece of ['\x1b[?6', '2;4', 'c']) input.emit('data', Buffer.from(piece));
    };
    const start = performance.now();
    const answer = await askTerminal(input as unknown as ReadStream, output as never, '?');
    expect(answer).toBe('\x1b[?62;4c');
    expect(performance.now() - start).toBeLessThan(200);
    expect(input).toMatchObject({ isRaw: false, paused: true });
    expect(input.listenerCount('data')).toBe(0);
  });

  test('times out if a terminal does not answer', async () => {
    const [input, output] = [new Input(), new Output()];
    expect(await askTerminal(input as unknown as ReadStream, output as never, '?')).toBe('');
    expect(input.isRaw).toBe(false);
  });

  test('Ctrl-C interrupts', async () => {
    const [input, output] = [new Input(), new Output()];
    const interrupted = new Promise<void>((resolve) => process.once('SIGINT', () => resolve()));
    output.onWrite = () => input.emit('data', Buffer.from('\x03'));
    await askTerminal(input as unknown as ReadStream, output as never, '?');
    await interrupted;
  });
});

describe('an image that is replaced', () => {
  const open = (output: Output, env: NodeJS.ProcessEnv, input = new Input()) =>
    TerminalImage.open(output as unknown as WriteStream, input as never, env);

  test('the first makes room, the next overwrites it', async () => {
    const output = new Output();
    const shown = await open(output, { TERM: 'xterm-kitty' });
    await shown?.show(ramp(16, 16));
    const move = /^\r(\n*)␛\[(\d+)A␛7␛_G.*␛\\␛8␛\[(\d+)B$/s;
    expect(visible(output.text).match(move)?.slice(1)).toEqual(['\n'.repeat(16), '16', '16']);
    const [, id] = /i=(\d+)/.exec(output.text) ?? [];
    output.text = '';
    output.rows = 10;
    await shown?.show(ramp(32, 32));
    expect(visible(output.text).match(move)?.slice(1)).toEqual(['', '16', '16']);
    expect(output.text).toContain(`i=${id},p=1`);
    expect(output.text).toContain('c=32,r=16');
    shown?.keep();
    output.text = '';
    await shown?.show(ramp(32, 32));
    expect(visible(output.text).match(move)?.slice(1)).toEqual(['\n'.repeat(8), '8', '8']);
  });

  test('sixels have the height of their rows', async () => {
    const [output, input] = [new Output(), new Input()];
    output.onWrite = () => input.emit('data', Buffer.from('\x1b[6;15;8t\x1b[?62;4c'));
    const shown = await open(output, {}, input);
    output.onWrite = () => {};
    output.text = '';
    await shown?.show(ramp(24, 24));
    const [sixels = ''] = /␛P.*␛\\/s.exec(visible(output.text)) ?? [];
    expect(decodeSixel(sixels)).toMatchObject({ width: 16 * 15, height: 16 * 15 });
  });

  test('there is none if the output is not a terminal, or cannot show images', async () => {
    const output = new Output();
    output.isTTY = false;
    expect(await open(output, { TERM: 'xterm-kitty' })).toBeUndefined();
    output.isTTY = true;
    const piped = new Input();
    piped.isTTY = false;
    expect(await open(output, {}, piped)).toBeUndefined();
    expect(output.text).toBe('');
  });
});
