import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Backend, Job, JobEvent } from './queue/job.js';

/** What Prometheus reads: queue, stages, pictures, failures; memory and event loop by prom-client. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #stages = new Histogram({
    name: 'karlo_stage_seconds',
    help: 'Seconds in each stage of a request',
    labelNames: ['kind', 'stage'] as const,
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120],
    registers: [this.#registry],
  });
  readonly #pictures = new Counter({
    name: 'karlo_pictures_total',
    help: 'Pictures made',
    labelNames: ['kind'] as const,
    registers: [this.#registry],
  });
  readonly #failures = new Counter({
    name: 'karlo_failures_total',
    help: 'Requests that ended in an error, by its code',
    labelNames: ['code'] as const,
    registers: [this.#registry],
  });
  readonly #requests = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Seconds from a request to the end of its answer',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.05, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers: [this.#registry],
  });

  constructor(backend: Backend) {
    collectDefaultMetrics({ register: this.#registry });
    for (const what of ['waiting', 'running'] as const) {
      new Gauge({
        name: what === 'waiting' ? 'karlo_queue_length' : 'karlo_running',
        help: what === 'waiting' ? 'Requests that wait' : 'Requests at work',
        registers: [this.#registry],
        async collect() {
          const load = await backend
            .load()
            .catch(() => ({ waiting: Number.NaN, running: Number.NaN }));
          this.set(load[what]);
        },
      });
    }
  }

  observe({ kind }: Job, event: JobEvent): void {
    if (event.type === 'picture') this.#pictures.inc({ kind });
    if (event.type !== 'done') return;
    for (const [stage, seconds] of Object.entries(event.timings)) {
      if (stage !== 'total') this.#stages.observe({ kind, stage }, seconds);
    }
  }

  failed(code: string): void {
    this.#failures.inc({ code });
  }

  answered(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status }, seconds);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }
}
