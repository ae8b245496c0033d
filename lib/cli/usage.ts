import type { Command } from 'commander';
import { flagLabel, optionOfFlag } from '../options/flags.js';
import { didYouMean, nearest } from '../options/suggest.js';
import { visibleLine, visibleText } from '../util/visible-text.js';

/** Makes a command and its subcommands suggest the flag that was probably meant, and name their `--help`. */
export function explainUsage(command: Command): void {
  for (const subcommand of command.commands) explainUsage(subcommand);
  command
    .showHelpAfterError(`(${pathOf(command)} --help lists all options)`)
    .showSuggestionAfterError(false)
    .configureOutput({
      writeOut: (text) => process.stdout.write(visibleText(text)),
      writeErr: (text) => process.stderr.write(visibleText(text)),
      outputError: (text, write) =>
        write(`${visibleLine(text.trimEnd())}\n${suggestion(command, text)}`),
    });
}

/** The question about a single word that resembles a command; undefined if it does not, and is a prompt. */
export function mistypedCommand(word: string, commands: readonly string[]): string | undefined {
  const meant = /^[a-z][a-z\d]*$/.test(word) ? nearest(word, commands) : undefined;
  return meant === undefined || meant === word
    ? undefined
    : `There is no command '${word}'. Did you mean: karlo ${meant}? Use '${word}' as a prompt?`;
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** Recognises the names of other programs as well: `--steps`, `--cfg-scale`. */
function suggestion(command: Command, text: string): string {
  if (/unknown option '[^']*\s/.test(text)) return '(Put -- before a prompt that begins with -)\n';
  const [, value, choices] =
    /argument '(.*)' is invalid\. Allowed choices are (.*)\./.exec(text) ?? [];
  if (choices !== undefined) return hint(didYouMean(value, choices.split(', ')));
  const unknown = /unknown option '--([^'=]+)/.exec(text)?.[1];
  if (unknown === undefined) return '';
  const meant = nearest(
    unknown,
    command.options.map(({ long }) => optionOfFlag(long ?? '')),
  );
  return meant === undefined ? '' : `(Did you mean ${flagLabel(meant)}?)\n`;
}

function hint(fix: string | undefined): string {
  return fix === undefined ? '' : `(D${fix.slice(1)})\n`;
}
