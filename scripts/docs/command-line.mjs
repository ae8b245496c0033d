import { commands, createProgram } from '../../dist/lib/cli/program.js';
import { block, code, page, plain, table } from './markdown.mjs';

/** @import { Command, Help, Option } from 'commander' */

/** The reference of the command line, from the definitions of the commands. */
export async function commandLinePage() {
  const program = await createProgram(Object.keys(commands));
  const sections = program.commands.flatMap((command) => [
    commandSection(command),
    ...command.commands.map(commandSection),
  ]);
  return page(
    '# Command line',
    'The commands of `npx karlo`. `npx karlo COMMAND --help` prints the same in a terminal. Options of the model and of images are explained in [options](options.md).',
    list(program),
    ...sections,
  );
}

/** @param {Command} program */
function list(program) {
  const rows = program.commands.map((command) => [
    `[${code(nameOf(command))}](#${nameOf(command).replaceAll(' ', '-')})`,
    plain(command.description()),
  ]);
  return table(['command', 'purpose'], rows);
}

/** @param {Command} command @returns {string} */
function nameOf(command) {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

/** @param {Command} command */
function commandSection(command) {
  const help = command.createHelp();
  const name = nameOf(command);
  const usage = command === command.parent?.commands[0] ? 'karlo "<prompt>" [options]' : undefined;
  const level = name.split(' ').length === 2 ? '##' : '###';
  const { examples, notes } = addedText(command);
  return page(
    `${level} ${name}`,
    `${sentence(command.description())}`,
    block('text', [usage, help.commandUsage(command)].filter(Boolean).join('\n')),
    argumentTable(command, help),
    ...optionTables(command, help),
    examples && `Examples:\n\n${block('sh', examples)}`,
    notes && block('text', notes),
  ).trimEnd();
}

/** @param {string} text */
function sentence(text) {
  return plain(`${text[0]?.toUpperCase()}${text.slice(1)}.`);
}

/**
 * @param {Command} command
 * @param {Help} help
 */
function argumentTable(command, help) {
  const rows = help
    .visibleArguments(command)
    .map((one) => [code(help.argumentTerm(one)), plain(help.argumentDescription(one))]);
  return rows.length === 0 ? undefined : table(['argument', 'meaning'], rows);
}

/**
 * A table for each group of options.
 * @param {Command} command
 * @param {Help} help
 */
function optionTables(command, help) {
  const options = help.visibleOptions(command).filter(({ long }) => long !== '--help');
  const headings = new Set(options.map(headingOf));
  return [...headings].map((heading) => {
    const rows = options
      .filter((option) => headingOf(option) === heading)
      .map((option) => [code(help.optionTerm(option)), plain(help.optionDescription(option))]);
    return table([heading.replace(/:$/, ''), 'meaning'], rows);
  });
}

/** @param {Option} option */
function headingOf({ helpGroupHeading = 'Options:' }) {
  return helpGroupHeading;
}

/** What a command's help has after its options: examples and notes. @param {Command} command */
function addedText(command) {
  let output = '';
  const writeOut = (/** @type {string} */ text) => {
    output += text;
  };
  command.configureOutput({ writeOut }).outputHelp();
  const added = output.slice(command.helpInformation().length);
  const [, examples = '', notes = ''] =
    /Examples:\n([\s\S]*?)(?:\n\n([\s\S]*))?$/.exec(added) ?? [];
  return {
    examples: examples
      .replaceAll(/^ {2}/gm, '')
      .replaceAll(/(^|\| |^\S+=\S+ )karlo /gm, '$1npx karlo '),
    notes: notes.trim(),
  };
}
