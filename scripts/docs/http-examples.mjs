// A request for each route whose body a reader could not guess. test/docs runs them.

const url = 'http://127.0.0.1:8080';
const post = (/** @type {string} */ path, /** @type {object} */ body) =>
  `curl ${url}${path} --json '${JSON.stringify(body)}'`;

/** @type {Readonly<Record<string, string>>} by operationId */
export const examples = {
  createImage: post('/v1/images/generations', { prompt: 'a red heart', n: 2, seed: 0 }),
  createImageVariation: `curl ${url}/v1/images/variations -F image=@photo.jpg -F n=2`,
  createImageEdit: `curl ${url}/v1/images/edits -F image=@photo.jpg -F prompt="a blue heart"`,
  createImageMix: post('/v1/images/mixes', {
    parts: [
      { prompt: 'a red heart', weight: 0.3 },
      { prompt: 'a blue star', weight: 0.7 },
    ],
  }),
  createImageInterpolation: post('/v1/images/interpolations', {
    from: { prompt: 'a red heart' },
    to: { prompt: 'a blue star' },
    frames: 4,
  }),
  createImageUpscale: `curl ${url}/v1/images/upscales -F image=@photo.jpg`,
  listModels: `curl ${url}/v1/models`,
  isAlive: `curl ${url}/healthz`,
  isReady: `curl ${url}/readyz`,
  metrics: `curl ${url}/metrics`,
  a1111_txt2img: post('/sdapi/v1/txt2img', { prompt: 'a red heart', steps: 5 }),
  a1111_samplers: `curl ${url}/sdapi/v1/samplers`,
};
