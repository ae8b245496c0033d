import type { ReadStream } from 'node:tty';

/** The graphics protocol of a terminal. */
export type Protocol = 'kitty' | 'iterm' | 'sixel';

/** The graphics protocol of a terminal, and the height of its rows in pixels. */
export interface TerminalAbility {
  readonly protocol: Protocol;
  readonly rowPixels: number;
}

/** DEC's VT340, which introduced sixels, and most terminals that emulate it. */
const defaultRowPixels = 20;
/** A local terminal answers within a few milliseconds, one behind SSH takes longer. */
const timeoutMs = 300;

/** Asks for the size of a cell in pixels (XTWINOPS 16), then for attributes (DA1), which every terminal answers. */
const question = '\x1b[16t\x1b[c';

/** What a terminal in raw mode sends instead of an interrupt. */
const controlC = '\x03';

/**
 * How a terminal can show images; undefined if it cannot. Kitty and iTerm2 are recognised by the
 * environment, other terminals are asked.
 * @param ask sends a question to the terminal, and returns its answer
 */
export async function terminalAbility(
  env: NodeJS.ProcessEnv,
  ask: (question: string) => Promise<string>,
): Promise<TerminalAbility | undefined> {
  const named = protocolIn(env);
  if (named !== undefined) return { protocol: named, rowPixels: defaultRowPixels };
  if (env.TERM === 'dumb') return undefined;
  const answer = await ask(question);
  if (!attributes(answer).includes('4')) return undefined;
  return { protocol: 'sixel', rowPixels: rowPixels(answer) ?? defaultRowPixels };
}

function protocolIn(env: NodeJS.ProcessEnv): Protocol | undefined {
  // tmux and screen pass on the names of the outer terminal, but not images.
  if (env.TMUX || env.STY || /^(screen|tmux)/.test(env.TERM ?? '')) return undefined;
  if (env.KITTY_WINDOW_ID || /^xterm-(kitty|ghostty)$/.test(env.TERM ?? '')) return 'kitty';
  if (env.TERM_PROGRAM === 'ghostty') return 'kitty';
  // SSH passes on LC_TERMINAL, but not TERM_PROGRAM.
  const names = [env.TERM_PROGRAM, env.LC_TERMINAL];
  return names.some((name) => /^(iTerm|WezTerm)/.test(name ?? '')) ? 'iterm' : undefined;
}

/** The answer to DA1, `ESC [ ? 62 ; 4 ; 6 c`: a 4 after the first number stands for sixels. */
function attributes(answer: string): string[] {
  return /\[\?([\d;]+)c/.exec(answer)?.[1]?.split(';').slice(1) ?? [];
}

function rowPixels(answer: string): number | undefined {
  const height = Number(/\[6;(\d+);\d+t/.exec(answer)?.[1]);
  return height >= 4 && height <= 200 ? height : undefined;
}

/**
 * Asks a terminal, and waits for the end of the answer to DA1, or for the timeout. Input in the meantime
 * is lost, except for Ctrl-C, which interrupts as usual.
 */
export function askTerminal(
  input: ReadStream,
  output: NodeJS.WritableStream,
  text: string,
): Promise<string> {
  const wasRaw = input.isRaw;
  let answer = '';
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      input.off('data', receive);
      input.setRawMode(wasRaw);
      input.pause();
      if (answer.includes(controlC)) process.kill(process.pid, 'SIGINT');
      resolve(answer);
    };
    const receive = (data: Buffer) => {
      answer += data.toString('latin1');
      if (answer.includes(controlC) || /\[\?[\d;]*c/.test(answer)) end();
    };
    const timer = setTimeout(end, timeoutMs);
    input.setRawMode(true);
    input.on('data', receive);
    output.write(text);
  });
}
