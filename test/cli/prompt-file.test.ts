import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readPrompts } from '../../lib/cli/prompt-file.js';
import { expectCode } from '../support/expect-error.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const folder = temporaryFolder();
const file = join(folder, 'prompts.txt');
const prompts = ['a café in Zürich', 'ein rotes Herz ❤️', '붉은 심장'];
const text = `${prompts[0]}\r\n\n ${prompts[1]} \n${prompts[0]}\n${prompts[2]}`;

function read(bytes: string | Uint8Array): Promise<string[]> {
  writeFileSync(file, bytes);
  return readPrompts(file);
}

const utf16 = (content: string) => Buffer.from(content, 'utf16le');
const invalid = (bytes: string | Uint8Array, ...parts: string[]) =>
  expectCode('ERR_KARLO_INVALID_ARGUMENT', () => read(bytes), file, ...parts);

describe('a file of prompts', () => {
  test.each<[string, string | Uint8Array]>([
    ['UTF-8', text],
    ['UTF-8 with a byte order mark', `\ufeff${text}`],
    ['UTF-16LE, as Windows PowerShell writes it', utf16(`\ufeff${text}`)],
    ['UTF-16BE', utf16(`\ufeff${text}`).swap16()],
    ['UTF-8 with the line ends of old Macs', text.replace(/\r?\n/g, '\r')],
  ])('can be %s', async (_, bytes) => expect(await read(bytes)).toEqual(prompts));

  test('has a prompt in each line that is not blank, also after #', async () => {
    expect(await read('# hearts\n\n  #1 dad\n\t\n')).toEqual(['# hearts', '#1 dad']);
  });

  test.each<[string, Uint8Array]>([
    ['Windows-1252', Buffer.from('a heart\na caf\xe9\n', 'latin1')],
    ['EUC-KR', Buffer.from('a heart\n\xba\xd3\xc0\xba\n', 'latin1')],
    ['truncated UTF-8', Buffer.from('a heart\r\ncaf\xc3', 'latin1')],
  ])('is rejected in %s, with the line', (_, bytes) =>
    invalid(bytes, 'Expected UTF-8 text in', 'line 2 is not UTF-8', 'iconv -f WINDOWS-1252'),
  );

  test('is rejected in UTF-16 without a byte order mark, or with half a character', async () => {
    await invalid(utf16('a heart'), 'line 1 contains NUL characters, as UTF-16');
    await invalid(utf16('\ufeffa\nb\nc').subarray(0, -1), 'line 3 is not UTF-16LE');
    await invalid(utf16('\ufeffa\n\ud800b'), 'line 2 is not UTF-16LE');
  });

  test.skipIf(process.platform === 'win32')('is rejected if it is a pipe', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const work = () => readPrompts(pipe);
    await expectCode('ERR_KARLO_INVALID_ARGUMENT', work, pipe, 'it is a pipe', 'pass - ');
  });

  test('is rejected in UTF-32', () =>
    invalid(Buffer.from('\xff\xfe\0\0a\0\0\0', 'latin1'), 'line 1 contains NUL'));
});
