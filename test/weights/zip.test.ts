import { describe, expect, it } from 'vitest';
import { bufferSource } from '../../lib/weights/source.js';
import { inflateRecord, locateStored, openZip, readRecord } from '../../lib/weights/zip.js';
import { zip } from '../fixtures/torch-writer.js';
import { expectCorrupt } from '../support/expect-error.js';

const open = (bytes: Uint8Array) => openZip(bufferSource('m.zip', bytes));
const hello = Buffer.from('hello hello hello hello');

async function read(bytes: Uint8Array, name: string, maxBytes = 1000): Promise<Buffer> {
  const archive = await open(bytes);
  const record = archive.records.get(name);
  if (!record) throw new Error(`no ${name}`);
  return readRecord(archive, record, maxBytes);
}

/** `bytes` with `value` at the offset `field` of the central header. */
function patch(bytes: Buffer, field: number, value: number, width: 2 | 4 = 4): Buffer {
  const out = Buffer.from(bytes);
  const central = out.indexOf('PK\x01\x02', 0, 'latin1');
  out.writeUIntLE(value, central + field, width);
  return out;
}

describe('a valid archive', () => {
  it.each([
    ['stored', {}],
    ['zip64', { forceZip64Format: true }],
  ])('yields %s records', async (_, options) => {
    const bytes = await zip(
      [
        ['a/x', hello],
        ['a/é', Buffer.alloc(0)],
      ],
      options,
    );
    expect(await read(bytes, 'a/x')).toEqual(hello);
    expect(await read(bytes, 'a/é')).toEqual(Buffer.alloc(0));
  });

  it('locates a stored record', async () => {
    const bytes = await zip([['a/x', hello]]);
    const archive = await open(bytes);
    const record = archive.records.get('a/x');
    expect(record && (await locateStored(archive, record))).toBe(bytes.indexOf(hello));
  });

  it('may end in a comment that looks like an end', async () => {
    const bytes = await zip([['a/x', hello]]);
    const comment = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(30)]);
    const commented = Buffer.concat([bytes, comment]);
    commented.writeUInt16LE(comment.length, bytes.length - 2);
    expect(await read(commented, 'a/x')).toEqual(hello);
  });
});

describe('a deflated record', () => {
  const inflate = async (bytes: Uint8Array, limit = 1000) => {
    const archive = await open(bytes);
    const record = archive.records.get('a/x');
    if (!record) throw new Error('no a/x');
    return inflateRecord(archive, record, limit);
  };

  it('is inflated, and a stored one is read', async () => {
    expect(await inflate(await zip([['a/x', hello]], { compress: true }))).toEqual(hello);
    expect(await inflate(await zip([['a/x', hello]]))).toEqual(hello);
  });

  it('is rejected above the limit, and if its size is wrong', async () => {
    const bytes = await zip([['a/x', hello]], { compress: true });
    await expectCorrupt(() => inflate(bytes, 10), 'at most 10 bytes');
    await expectCorrupt(() => inflate(patch(bytes, 24, hello.length - 1)), 'a/x');
    await expectCorrupt(() => inflate(patch(bytes, 24, hello.length + 1)), 'a/x');
  });
});

describe('a damaged or hostile archive is rejected', () => {
  it('when it is truncated anywhere', async () => {
    const bytes = await zip([
      ['a/x', hello],
      ['a/y', hello],
    ]);
    for (let end = 0; end < bytes.length; end++) {
      await expectCorrupt(() => open(bytes.subarray(0, end)), 'm.zip');
    }
  });

  it('when there are bytes before, after or between its parts', async () => {
    const bytes = await zip([['a/x', hello]]);
    await expectCorrupt(() => open(Buffer.concat([Buffer.from('x'), bytes])), 'zip directory');
    await expectCorrupt(() => open(Buffer.concat([bytes, Buffer.from('x')])), 'end of file');
    const end = bytes.length - 22;
    const hidden = Buffer.concat([bytes.subarray(0, end), Buffer.from('x'), bytes.subarray(end)]);
    await expectCorrupt(() => open(hidden), `an end at ${end + 1}`);
  });

  it('when a record is compressed, however large it would be', async () => {
    const bomb = await zip([['a/x', Buffer.alloc(10_000_000)]], { compress: true });
    await expectCorrupt(() => read(bomb, 'a/x', 1e9), 'stored (uncompressed)', 'a/x', 'deflated');
    const other = patch(bomb, 10, 12, 2);
    await expectCorrupt(() => read(other, 'a/x', 1e9), 'stored (uncompressed)', 'method 12');
  });

  it('when a record is larger than the limit', async () => {
    const bytes = await zip([['a/x', hello]]);
    await expectCorrupt(() => read(bytes, 'a/x', 5), 'at most 5 bytes', 'a/x');
  });

  it('when a stored record has two sizes', async () => {
    const bytes = await zip([['a/x', hello]]);
    await expectCorrupt(() => open(patch(bytes, 24, hello.length - 1)), 'a/x', '23');
  });

  it('when records overlap', async () => {
    const bytes = await zip([
      ['a/x', hello],
      ['a/y', hello],
    ]);
    const second = bytes.lastIndexOf('PK\x01\x02', bytes.length, 'latin1');
    const aliased = Buffer.from(bytes);
    aliased.writeUInt32LE(0, second + 42);
    await expectCorrupt(() => open(aliased), 'an end before');
    const longer = patch(patch(bytes, 20, hello.length + 60), 24, hello.length + 60);
    await expectCorrupt(() => open(longer), 'a/x', 'an end before');
  });

  it('when a record reaches into the next one only by its own header', async () => {
    const bytes = await zip([
      ['a/x', hello],
      ['a/y', hello],
    ]);
    bytes.writeUInt16LE(40, 28);
    await expectCorrupt(() => read(bytes, 'a/x'), 'bytes before', 'a/x');
  });

  it('when the two headers of a record disagree', async () => {
    const bytes = await zip([['a/x', hello]]);
    bytes[30] = 'b'.charCodeAt(0);
    await expectCorrupt(() => read(bytes, 'a/x'), 'one name and method', 'a/x');
  });

  it('when a size, an offset or a count is impossible', async () => {
    const bytes = await zip([['a/x', hello]]);
    await expectCorrupt(() => open(patch(bytes, 42, bytes.length)), 'a/x');
    await expectCorrupt(() => open(patch(bytes, 20, 0xfffffffe)), 'a/x');
    await expectCorrupt(() => open(patch(bytes, 24, 0xffffffff)), 'zip64 field', 'a/x');
    const counted = Buffer.from(bytes);
    counted.writeUInt16LE(2, counted.length - 12);
    await expectCorrupt(() => open(counted), '2 records');
    const fewer = Buffer.from(bytes);
    fewer.writeUInt16LE(0, fewer.length - 12);
    await expectCorrupt(() => open(fewer), 'zip directory');
  });

  it('when it is encrypted or has several disks', async () => {
    const bytes = await zip([['a/x', hello]]);
    await expectCorrupt(() => open(patch(bytes, 8, 1, 2)), 'encryption');
    await expectCorrupt(() => open(patch(bytes, 34, 1, 2)), 'disk');
  });

  it.each(['../x', '/a/x', 'a/../x', 'a\\x', 'C:/x', 'a/\0'])('when a name is %j', async (name) => {
    const plain = 'n'.repeat(name.length);
    const bytes = await zip([[plain, hello]]);
    const bad = Buffer.from(bytes.toString('latin1').replaceAll(plain, name), 'latin1');
    await expectCorrupt(() => open(bad), 'record name');
  });

  it('when two records have the same name', async () => {
    const bytes = await zip([
      ['a/x', hello],
      ['a/y', hello],
    ]);
    const twice = Buffer.from(bytes.toString('latin1').replaceAll('a/y', 'a/x'), 'latin1');
    await expectCorrupt(() => open(twice), 'a/x', 'two');
  });
});
