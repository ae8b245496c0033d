import { expect, test } from 'vitest';
import { short, start } from '../helpers/server.js';

test('reports health, readiness and metrics', async () => {
  const { url, post } = await start();
  await (await post({ ...short, prompt: 'a ring', n: 2 })).json();
  await post({ prompt: '' });
  expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
  expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ok' });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  for (const line of [
    /^karlo_queue_length 0$/m,
    /^karlo_running 0$/m,
    /^karlo_pictures_total\{kind="text-to-image"\} 2$/m,
    /^karlo_stage_seconds_count\{kind="text-to-image",stage="decoder"\} 1$/m,
    /^karlo_failures_total\{code="invalid_value"\} 1$/m,
    /^process_resident_memory_bytes \d+/m,
    /^nodejs_eventloop_lag_p99_seconds /m,
    /^http_request_duration_seconds_count\{method="POST",route="\/v1\/images\/generations",status="200"\} 1$/m,
  ]) {
    expect(metrics).toMatch(line);
  }
});
