import type { ReadStream } from 'node:tty';

/** How a terminal takes pictures. */
export type Protocol = 'kitty' | 'iterm' | 'sixel';

/** What a terminal can show, and the height of one of its rows. */
export interface TerminalAbility {
  readonly protocol: Protocol;
  readonly rowPixels: number;
}

/** Of the terminal that sixel comes from, DEC's VT340, and of the many that imitate it. */
const usualRowPixels = 20;
/** A terminal near by answers within a few milliseconds, one behind SSH later. */
const answerMs = 300;

/** Size of a cell in pixels (XTWINOPS 16), then attributes (DA1), which every terminal answers. */
const question = '\x1b[16t\x1b[c';

/** What a terminal in raw mode sends instead of interrupting. */
const controlC = '\x03';

/**
 * Which pictures a terminal shows; undefined where none. The environment says it of those that do not
 * say it themselves; any other is asked.
 * @param ask sends a question to the terminal, and gives its answer
 */
export async function terminalAbility(
  env: NodeJS.ProcessEnv,
  ask: (question: string) => Promise<string>,
): Promise<TerminalAbility | undefined> {
  const named = protocolIn(env);
  if (named !== undefined) return { protocol: named, rowPixels: usualRowPixels };
  if (env.TERM === 'dumb') return undefined;
  const answer = await ask(question);
  if (!attributes(answer).includes('4')) return undefined;
  return { protocol: 'sixel', rowPixels: rowPixels(answer) ?? usualRowPixels };
}

function protocolIn(env: NodeJS.ProcessEnv): Protocol | undefined {
  // They hand the outer terminal's names on, but not its pictures.
  if (env.TMUX || env.STY || /^(screen|tmux)/.test(env.TERM ?? '')) return undefined;
  if (env.KITTY_WINDOW_ID || /^xterm-(kitty|ghostty)$/.test(env.TERM ?? '')) return 'kitty';
  if (env.TERM_PROGRAM === 'ghostty') return 'kitty';
  // LC_TERMINAL comes through SSH, where TERM_PROGRAM does not.
  const names = [env.TERM_PROGRAM, env.LC_TERMINAL];
  return names.some((name) => /^(iTerm|WezTerm)/.test(name ?? '')) ? 'iterm' : undefined;
}

/** DA1's answer `ESC [ ? 62 ; 4 ; 6 c`: 4 among the numbers after the first is sixel. */
function attributes(answer: string): string[] {
  return /\[\?([\d;]+)c/.exec(answer)?.[1]?.split(';').slice(1) ?? [];
}

function rowPixels(answer: string): number | undefined {
  const height = Number(/\[6;(\d+);\d+t/.exec(answer)?.[1]);
  return height >= 4 && height <= 200 ? height : undefined;
}

/**
 * Asks a terminal, and waits for the end of DA1's answer, or for a moment. What is typed meanwhile is
 * lost, but for Ctrl-C, which interrupts as ever.
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
    const timer = setTimeout(end, answerMs);
    input.setRawMode(true);
    input.on('data', receive);
    output.write(text);
  });
}
