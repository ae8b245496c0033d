import { styleText } from 'node:util';
import { pino } from 'pino';
import { visibleLine, visibleText } from '../util/visible-text.js';

interface Line {
  readonly level: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly msg?: string;
  readonly reqId?: string;
  readonly err?: { readonly message?: string; readonly stack?: string };
  readonly [field: string]: unknown;
}

const styles = {
  debug: 'cyan',
  info: 'green',
  warn: 'yellow',
  error: 'red',
  fatal: 'red',
} as const;

/**
 * A line of the log for people: time, level, message and fields, and the stack of an error below it. Controls are
 * escaped.
 * @param json a line of pino
 */
export function prettyLine(json: string, colors: boolean): string {
  const {
    level,
    time,
    msg = '',
    err,
    reqId,
    pid: _,
    hostname: __,
    ...rest
  }: Line = JSON.parse(json);
  // Clients know the id of a request that failed through the server's fault.
  const fields = err === undefined || reqId === undefined ? rest : { ...rest, reqId };
  const text = [msg, ...Object.entries(fields).map(fieldText)].join(' ');
  const stack = err === undefined ? '' : `\n${err.stack ?? err.message}`;
  return `${clock(time)} ${levelText(level, colors)} ${visibleLine(text)}${visibleText(stack)}\n`;
}

function clock(time: number): string {
  return new Date(time).toTimeString().slice(0, 8);
}

function levelText(level: number, colors: boolean): string {
  const label = pino.levels.labels[level] ?? String(level);
  const style = styles[label as keyof typeof styles];
  const padded = label.padEnd(5);
  return colors && style !== undefined
    ? styleText(style, padded, { validateStream: false })
    : padded;
}

function fieldText([name, value]: [string, unknown]): string {
  return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
}
