// What follows from a description: checks, flags, and the fields of requests and recipes.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkOptions } from '../../lib/options/check-options.js';
import {
  generationOptions,
  imageVariationOptions,
  loadOptions,
  type OptionTable,
  stageOptions,
  textToImageOptions,
} from '../../lib/options/descriptions.js';
import { flagLabel, flagsOf, optionOfFlag } from '../../lib/options/flags.js';
import { recordedOptions } from '../../lib/options/recorded.js';
import { resolveTextToImage } from '../../lib/options/resolve-generation.js';
import { optionsOfRequest, recipeFields, requestFields } from '../../lib/options/schema.js';
import type { TextToImageOptions } from '../../lib/options/types.generated.js';
import { identityLabel } from '../../lib/options/validate.js';
import { errorMessage } from './error-message.js';

const table = {
  negativePrompt: {
    kind: 'text',
    maxLength: 10,
    recipe: 'optional',
    description: 'what the images should not show',
  },
  strength: {
    kind: 'number',
    range: [0, 1],
    default: 0.5,
    flag: '-s, --strength',
    http: 'amount',
    recipe: 'required',
    description: 'strength of the effect',
  },
  secret: { kind: 'boolean', flag: false, http: false, description: 'not for everyone' },
  decoder: generationOptions.decoder,
  upsample: generationOptions.upsample,
} as const satisfies OptionTable;

describe('a new option', () => {
  test('is checked, and has its default', () => {
    const scope = { path: '', label: identityLabel };
    const check = (options: Record<string, unknown>) => checkOptions(table, options, scope);
    expect(check({})).toEqual({ negativePrompt: undefined, strength: 0.5, secret: undefined });
    expect(check({ negativePrompt: 'rain', secret: true })).toMatchObject({
      ...{ negativePrompt: 'rain', secret: true },
    });
    expect(errorMessage(() => check({ negativePrompt: 1 }))).toBe(
      'Expected string for negativePrompt but received 1',
    );
    expect(errorMessage(() => check({ strength: 2 }))).toBe(
      'Expected number between 0 and 1 for strength but received 2',
    );
  });

  test('has a flag', () => {
    expect(flagsOf(table).map(({ option, flag }) => [option, flag])).toEqual([
      ['negativePrompt', '--negative-prompt'],
      ['strength', '-s, --strength'],
      ['decoder.steps', '--decoder-steps'],
      ['decoder.timestepRespacing', '--decoder-timestep-respacing'],
      ['decoder.guidanceScale', '--decoder-guidance'],
      ['decoder.sampler', '--decoder-sampler'],
      ['decoder.eta', '--decoder-eta'],
      ['decoder.guidanceInterval', '--decoder-guidance-interval'],
      ['decoder.guidanceRescale', '--decoder-guidance-rescale'],
      ['upsample.steps', '--upsample-steps'],
      ['upsample.timestepRespacing', '--upsample-timestep-respacing'],
    ]);
  });

  test('is a field of a request', () => {
    const schema = z.strictObject(requestFields(table));
    const request = {
      negative_prompt: 'rain',
      decoder: { steps: 5, guidance_scale: 2, guidance_interval: [0, 1] },
    };
    expect(optionsOfRequest(table, schema.parse(request))).toEqual({
      ...{ negativePrompt: 'rain', strength: 0.5 },
      decoder: { steps: 5, guidanceScale: 2, guidanceInterval: [0, 1] },
    });
    expect(optionsOfRequest(table, schema.parse({ amount: null }))).toEqual({ strength: 0.5 });
    for (const wrong of [
      { negative_prompt: 'x'.repeat(11) },
      { amount: 2 },
      { strength: 1 },
      { secret: true },
      { upsample: { guidance_scale: 1 } },
      { decoder: { steps: 1, timestep_respacing: '1' } },
      { decoder: { timestep_respacing: '0' } },
      { decoder: { sampler: 'euler' } },
      { decoder: { guidance_interval: [0.8, 0.2] } },
      { decoder: { guidance_interval: [0.2, 1.1] } },
      { decoder: { guidance_interval: [0.2] } },
      { upsample: { sampler: 'ddpm' } },
    ]) {
      expect(schema.safeParse(wrong).success, JSON.stringify(wrong)).toBe(false);
    }
  });

  test('is described in the OpenAPI schema', () => {
    const { properties } = z.toJSONSchema(z.strictObject(requestFields(table)), {
      ...({ io: 'input', unrepresentable: 'any' } as const),
    });
    expect(properties).toMatchObject({
      negative_prompt: { description: 'What the images should not show.' },
      amount: { description: 'Strength of the effect.', default: 0.5 },
    });
  });

  test('is a field of a recipe; recipes that are older do not have it', () => {
    const schema = z.object(recipeFields(table));
    const decoder = { steps: 25, guidanceScale: 8 };
    const recipe = { strength: 1, decoder, upsample: { timestepRespacing: '7', guidanceScale: 1 } };
    expect(schema.parse(recipe)).toEqual(recipe);
    expect(schema.parse({ ...recipe, negativePrompt: 'rain', secret: true })).toEqual({
      ...recipe,
      negativePrompt: 'rain',
    });
    expect(schema.safeParse({ ...recipe, strength: undefined }).success).toBe(false);
    expect(schema.safeParse({ ...recipe, decoder: { steps: 25 } }).success).toBe(false);
  });

  test('is left out of a recipe if it has its default', () => {
    const record = (options: TextToImageOptions) =>
      recordedOptions(generationOptions, resolveTextToImage('a', options)).decoder;
    const preset = { steps: 25, guidanceScale: 8 };
    expect(record({ decoder: { sampler: 'ddpm', eta: 0, guidanceInterval: [0, 1] } })).toEqual(
      preset,
    );
    expect(record({ decoder: { sampler: 'ddim', eta: 0.5, guidanceInterval: [0, 0.5] } })).toEqual({
      ...{ ...preset, sampler: 'ddim', eta: 0.5, guidanceInterval: [0, 0.5] },
    });
    const respaced = { timestepRespacing: 'ddim25', guidanceScale: 8 };
    expect(record({ decoder: { timestepRespacing: 'ddim25', sampler: 'ddim' } })).toEqual(respaced);
    expect(record({ decoder: { timestepRespacing: 'ddim25', sampler: 'ddpm' } })).toEqual({
      ...{ ...respaced, sampler: 'ddpm' },
    });
  });
});

test('flags and options are translated both ways', () => {
  const flags = flagsOf({
    ...{ ...generationOptions, ...textToImageOptions },
    ...{ ...imageVariationOptions, ...loadOptions },
  });
  expect(flags.length).toBeGreaterThan(15);
  for (const { option } of flags) expect(optionOfFlag(flagLabel(option))).toBe(option);
  expect(flagLabel('decoder.guidanceScale')).toBe('--decoder-guidance');
  expect(flagLabel('count')).toBe('--count');
  expect(flagLabel('prompt[1]')).toBe('prompt[1]');
});

test('defaults are within their ranges, and descriptions are fragments', () => {
  const tables = [
    generationOptions,
    textToImageOptions,
    imageVariationOptions,
    loadOptions,
    stageOptions,
  ];
  for (const [name, option] of tables.flatMap((one: OptionTable) => Object.entries(one))) {
    expect(option.description, name).toMatch(/^[a-z].*[^.]$/);
    if ('range' in option && 'default' in option && option.default !== undefined) {
      for (const value of [option.default].flat()) {
        expect(value, name).toBeGreaterThanOrEqual(option.range[0]);
        expect(value, name).toBeLessThanOrEqual(option.range[1]);
      }
    }
    if ('choices' in option && option.default !== undefined) {
      expect(option.choices, name).toContain(option.default);
    }
  }
});
