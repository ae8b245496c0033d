import type { Command } from 'commander';
import { nearest } from '../options/validate.js';
import { flagOf, optionOf } from './flag-names.js';

/** Lets a command say, of an option that it has not, which one was meant, and where all are shown. */
export function explainUsage(command: Command): void {
  for (const one of command.commands) explainUsage(one);
  command
    .showHelpAfterError(`(${pathOf(command)} --help shows all options)`)
    .showSuggestionAfterError(false)
    .configureOutput({
      outputError: (text, write) => write(text + suggestion(command, text)),
    });
}

/** What to say of a single word that is no command, but nearly one; a prompt is rarely that. */
export function mistyped(word: string, commands: readonly string[]): string | undefined {
  const meant = /^[a-z]+$/.test(word) ? nearest(word, commands) : undefined;
  return meant === undefined || meant === word
    ? undefined
    : `There is no command ${word}. Did you mean karlo ${meant}? A picture of the word: karlo generate ${word}`;
}

function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** As messages of the package suggest names, other programs' included: `--steps`, `--cfg-scale`. */
function suggestion(command: Command, text: string): string {
  if (/unknown option '[^']*\s/.test(text)) return '(A prompt that begins with - comes after --)\n';
  const unknown = /unknown option '--([^'=]+)/.exec(text)?.[1];
  if (unknown === undefined) return '';
  const meant = nearest(
    unknown,
    command.options.map(({ long }) => optionOf(long ?? '')),
  );
  return meant === undefined ? '' : `(Did you mean ${flagOf(meant)}?)\n`;
}
