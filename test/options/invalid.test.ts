import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resolveImageVariation, resolveTextToImage } from '../../lib/options/resolve-generation.js';
import { nearest } from '../../lib/options/suggest.js';
import { errorMessage, optionsError } from './error-message.js';

const SHAPES = 'a string such as "25", "10,10,5", "ddim25" or "fast27", of 1 to 1000 steps,';

describe('invalid values', () => {
  test.each([
    [
      { decoder: { steps: 0 } },
      'Expected integer between 1 and 1000 for decoder.steps but received 0',
    ],
    [
      { decoder: { steps: 2000 } },
      'Expected integer between 1 and 1000 for decoder.steps but received 2000',
    ],
    [
      { prior: { steps: '25' } },
      "Expected integer between 1 and 1000 for prior.steps but received '25'",
    ],
    [
      { upsample: { steps: Number.NaN } },
      'Expected integer between 1 and 1000 for upsample.steps but received NaN',
    ],
    [
      { decoder: { timestepRespacing: '0' } },
      "Expected between 1 and 1000 steps for decoder.timestepRespacing but received '0'",
    ],
    [
      { decoder: { timestepRespacing: '2000' } },
      "Expected between 1 and 1000 steps for decoder.timestepRespacing but received '2000'",
    ],
    [
      { decoder: { timestepRespacing: 'a,b' } },
      `Expected ${SHAPES} for decoder.timestepRespacing but received 'a,b'`,
    ],
    [
      { decoder: { timestepRespacing: 25 } },
      `Expected ${SHAPES} for decoder.timestepRespacing but received 25`,
    ],
    [
      { decoder: { steps: 5, timestepRespacing: '5' } },
      'Expected either decoder.steps or decoder.timestepRespacing but received both',
    ],
    [
      { prior: { guidanceScale: -0.1 } },
      'Expected number between 0 and 30 for prior.guidanceScale but received -0.1',
    ],
    [
      { prior: { guidanceScale: Number.NaN } },
      'Expected number between 0 and 30 for prior.guidanceScale but received NaN',
    ],
    [
      { decoder: { guidanceScale: 30.5 } },
      'Expected number between 0 and 30 for decoder.guidanceScale but received 30.5',
    ],
    [
      { upsample: { guidanceScale: 4 } },
      'Expected 1 (super-resolution has no guidance) for upsample.guidanceScale but received 4',
    ],
    [
      { decoder: { sampler: 'dpmpp' } },
      "Expected one of ddpm, ddim, dpm++, unipc for decoder.sampler but received 'dpmpp': did you mean dpm++?",
    ],
    [
      { decoder: { sampler: 'euler' } },
      "Expected one of ddpm, ddim, dpm++, unipc for decoder.sampler but received 'euler'",
    ],
    [
      { decoder: { sampler: 'dpm++', eta: 0.5 } },
      "Expected 0 (the sampler dpm++ has no eta) for decoder.eta but received 0.5: set decoder.sampler: 'ddim', or leave it out",
    ],
    [
      { prior: { eta: 1 } },
      "Expected 0 (the sampler ddpm has no eta) for prior.eta but received 1: set prior.sampler: 'ddim', or leave it out",
    ],
    [
      { decoder: { sampler: 'ddim', eta: 1.5 } },
      'Expected number between 0 and 1 for decoder.eta but received 1.5',
    ],
    [
      { decoder: { guidanceInterval: [0.8, 0.2] } },
      'Expected start that is not above the end for decoder.guidanceInterval but received [0.8, 0.2]: did you mean [0.2, 0.8]?',
    ],
    [
      { decoder: { guidanceInterval: [-0.1, 1.2] } },
      'Expected start and end between 0 and 1 for decoder.guidanceInterval but received [-0.1, 1.2]',
    ],
    [
      { decoder: { guidanceInterval: [0.5] } },
      'Expected array of two numbers for decoder.guidanceInterval but received an array of 1 element',
    ],
    [
      { decoder: { guidanceInterval: 0.5 } },
      'Expected array of two numbers for decoder.guidanceInterval but received 0.5',
    ],
    [
      { prior: { guidanceRescale: -1 } },
      'Expected number between 0 and 1 for prior.guidanceRescale but received -1',
    ],
    [{ decoder: 25 }, 'Expected object for decoder but received 25'],
    [{ decoder: null }, 'Expected object for decoder but received null'],
    [{ count: 0 }, 'Expected integer between 1 and 1000 for count but received 0'],
    [{ count: 1.5 }, 'Expected integer between 1 and 1000 for count but received 1.5'],
    [{ batchSize: 0 }, 'Expected integer between 1 and 1000 for batchSize but received 0'],
    [
      { sampling: 'slow' },
      "Expected one of turbo, fast, default for sampling but received 'slow': did you mean default?",
    ],
    [{ previews: 1 }, 'Expected boolean for previews but received 1'],
    [{ signal: {} }, 'Expected AbortSignal for signal but received a value of type Object'],
    [[], 'Expected object for options but received an array of 0 elements'],
    ['fast', "Expected object for options but received 'fast'"],
    [null, 'Expected object for options but received null'],
  ])('%o', (options, message) => expect(optionsError(options)).toBe(message));

  test('ddim999 lists the nearest counts with an integer stride', () => {
    const message = optionsError({ prior: { timestepRespacing: 'ddim999' } });
    expect(message).toMatch(
      /^Expected ddim2 to ddim1000 with an integer stride \(nearest: .*ddim1000\)/,
    );
    expect(message).toMatch(/ for prior\.timestepRespacing but received 'ddim999'$/);
  });

  test('the range of steps depends on the model', () => {
    expect(optionsError({ prior: { steps: 101 } }, { trainSteps: { prior: 100 } })).toMatch(
      /^Expected integer between 1 and 100 for prior.steps/,
    );
  });

  test('prompts are strings', () => {
    const message = (prompt: unknown) => errorMessage(() => resolveTextToImage(prompt));
    expect(message(undefined)).toBe(
      'Expected string or array of strings for prompt but received undefined',
    );
    expect(message(['a', 5])).toBe('Expected string for prompt[1] but received 5');
    expect(message(Array(1))).toMatch(/^Expected string for prompt\[0\] but received undefined/);
    expect(message([])).toMatch(/^Expected string or non-empty array of strings for prompt /);
    expect(resolveTextToImage(['a', '']).prompts).toEqual(['a', '']);
  });

  test('a variation has fit, and no prior', () => {
    expect(errorMessage(() => resolveImageVariation({ fit: 'contain' }))).toBe(
      "Expected one of cover, fill for fit but received 'contain'",
    );
    expect(errorMessage(() => resolveImageVariation({ prior: { steps: 5 } }))).toMatch(
      /^Unknown option prior: known are count, seed,/,
    );
    expect(optionsError({ fit: 'fill' })).toMatch(/^Unknown option fit: /);
  });
});

describe('unknown options', () => {
  test.each([
    [{ cuont: 1 }, 'Unknown option cuont: did you mean count?'],
    [{ batch_size: 2 }, 'Unknown option batch_size: did you mean batchSize?'],
    [{ decoder: { step: 5 } }, 'Unknown option decoder.step: did you mean decoder.steps?'],
    [
      { decoder: { guidance_scale: 5 } },
      'Unknown option decoder.guidance_scale: did you mean decoder.guidanceScale?',
    ],
    [
      { upsample: { sampler: 'ddim' } },
      'Unknown option upsample.sampler: known are upsample.steps, upsample.timestepRespacing, upsample.guidanceScale',
    ],
    [{ sampler: 'ddim' }, 'Unknown option sampler: did you mean decoder.sampler?'],
    [
      { decoder: { scheduler: 'x' } },
      'Unknown option decoder.scheduler: did you mean decoder.sampler?',
    ],
    [{ steps: 5 }, 'Unknown option steps: did you mean decoder.steps?'],
    [
      { prior_num_inference_steps: 5 },
      'Unknown option prior_num_inference_steps: did you mean prior.steps?',
    ],
    [
      { decoderGuidanceScale: 5 },
      'Unknown option decoderGuidanceScale: did you mean decoder.guidanceScale?',
    ],
    [{ num_images_per_prompt: 2 }, 'Unknown option num_images_per_prompt: did you mean count?'],
    [{ upscale: {} }, 'Unknown option upscale: did you mean upsample?'],
    [
      { xylophone: 1 },
      'Unknown option xylophone: known are count, seed, sampling, decoder, upsample, negativePrompt, candidates, stopAfter, watermark, batchSize, previews, safety, onUnsafe, promptFilter, signal, prior',
    ],
    [
      { constructor: 1 },
      'Unknown option constructor: known are count, seed, sampling, decoder, upsample, negativePrompt, candidates, stopAfter, watermark, batchSize, previews, safety, onUnsafe, promptFilter, signal, prior',
    ],
  ])('%o', (options, message) => expect(optionsError(options)).toBe(message));

  test('are labelled by the caller', () => {
    const label = (name: string) => `--${name.replaceAll('.', '-')}`;
    expect(optionsError({ decoder: { step: 1 } }, { label })).toBe(
      'Unknown option --decoder-step: did you mean --decoder-steps?',
    );
    expect(optionsError({ decoder: { steps: 0 } }, { label })).toMatch(/ for --decoder-steps but /);
  });

  test('one wrong letter is always corrected', () => {
    const names = ['count', 'seed', 'sampling', 'decoder', 'batchSize', 'previews', 'signal'];
    const slip = fc.record({
      name: fc.constantFrom(...names),
      at: fc.nat(3),
      letter: fc.constantFrom(...'qxz'),
    });
    fc.assert(
      fc.property(slip, ({ name, at, letter }) => {
        expect(nearest(name.slice(0, at) + letter + name.slice(at + 1), names)).toBe(name);
      }),
    );
  });
});
