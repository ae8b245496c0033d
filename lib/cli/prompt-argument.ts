import type { Command } from 'commander';
import { readText } from '../util/read-text.js';
import { promptSource } from './prompt-file.js';

/** The prompt that was given, from stdin if it is `-`, or else that of a recipe. */
export async function promptOf(
  command: Command,
  argument: string | undefined,
  recipe: { readonly prompt: string } | undefined,
): Promise<string> {
  const given = argument === '-' ? (await readText('-', promptSource)).trim() : argument;
  if (given?.trim() === '') command.error('error: expected a prompt but received an empty one');
  const prompt = given ?? recipe?.prompt;
  if (prompt !== undefined) return prompt;
  const fix = 'Pass it in quotes, or - to read it from stdin';
  return command.error(`error: missing required argument 'prompt'. ${fix}`);
}
