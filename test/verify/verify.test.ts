import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { convertModel } from '../../lib/layouts/converted/convert.js';
import { BOUNDS, type Bounds } from '../../lib/verify/bounds.js';
import { absoluteErrors, judge, relativeErrors } from '../../lib/verify/findings.js';
import { type Finding, openVerification, type VerifyOptions } from '../../lib/verify/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** The findings about networks; test/cli/verify.test.ts has those about images. */
async function networkFindings(options: Partial<VerifyOptions>): Promise<Finding[]> {
  const { signal } = new AbortController();
  const { findings } = await openVerification({ device: 'cpu', signal, ...options });
  const all: Finding[] = [];
  for await (const finding of findings()) {
    all.push(finding);
    if (finding.subject === 'super_res_last' && finding.comparison.includes('thread')) break;
  }
  return all;
}

describe('errors', () => {
  test('are relative to the largest magnitude that was expected', () => {
    const errors = relativeErrors(Float64Array.of(1, -3), Float64Array.of(2, -4));
    expect(errors).toEqual({ max: 0.25, mean: 0.25 });
  });

  test('of outputs that are NaN are not within any bound', () => {
    const about = { part: 'networks', subject: 'prior', comparison: 'a against b' } as const;
    const errors = relativeErrors(Float64Array.of(Number.NaN, 1), Float64Array.of(1, 1));
    const bound = { of: 'max', value: Number.POSITIVE_INFINITY } as const;
    expect(judge(about, errors, bound).verdict).toBe('failed');
  });

  test('need as many values as were expected', () => {
    expect(() => absoluteErrors(new Uint8Array(1), new Uint8Array(2))).toThrow(/Expected 2 values/);
  });
});

test('a bound of zero fails what rounds, and nothing else', async () => {
  const zero: Bounds = {
    ...BOUNDS,
    network: { ...BOUNDS.network, bfloat16: { of: 'max', value: 0 } },
  };
  const findings = await networkFindings({ bounds: zero, threads: 2 });
  const failed = findings.filter(({ verdict }) => verdict === 'failed');
  const rounded = findings.filter(({ comparison }) => comparison.startsWith('bfloat16'));
  expect(rounded.length).toBeGreaterThan(0);
  expect(failed).toEqual(rounded);
});

test('checks a converted folder', async () => {
  const folder = join(temporaryFolder(), 'converted');
  await convertModel('models/karlo-tiny', folder, { dtype: 'bfloat16' });
  const findings = await networkFindings({ model: folder, threads: 2 });
  expect(findings.filter(({ verdict }) => verdict !== 'ok')).toEqual([]);
});

test('rejects a converted folder for the reference', async () => {
  const folder = join(temporaryFolder(), 'converted');
  await convertModel('models/karlo-tiny', folder, { dtype: 'float32' });
  await expect(networkFindings({ model: folder, reference: 'venv' })).rejects.toThrow(
    /Hugging Face layout for --reference but received the layout 'converted'/,
  );
});

test('an abort ends the comparisons', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const { findings } = await openVerification({ device: 'cpu', signal });
  await expect(async () => {
    for await (const _ of findings()) controller.abort(new Error('enough'));
  }).rejects.toThrow('enough');
});
