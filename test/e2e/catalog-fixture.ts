import { TrackingServer } from '../../src/demo/tracking-server.js';
import { type OpenService, openService, type ServiceOptions } from '../support/open-service.js';

export const MINUTE = 60_000;
export const DAY = 24 * 60 * MINUTE;
export const NOW = Date.parse('2026-03-10T15:30:00Z');
/** Fetches the catalog for every use. */
export const NO_CATALOG_CACHE = { CATALOG_CACHE_TTL_SECONDS: '0' };

/** A tracking server and services that share its clock. */
export class CatalogFixture {
  private readonly closing: (() => Promise<void>)[];

  private constructor(
    readonly mlflow: TrackingServer,
    private readonly clock: { now: number },
  ) {
    this.closing = [() => mlflow.close()];
  }

  static async start(): Promise<CatalogFixture> {
    const clock = { now: NOW };
    return new CatalogFixture(await TrackingServer.start(() => clock.now), clock);
  }

  get now(): number {
    return this.clock.now;
  }

  advance(ms: number): void {
    this.clock.now += ms;
  }

  /** Called by `close`, the last added first. */
  onClose(...closing: (() => Promise<void>)[]): void {
    this.closing.push(...closing);
  }

  async open(options: Partial<ServiceOptions> = {}): Promise<OpenService> {
    const pipeline = await openService({
      trackingUri: this.mlflow.uri,
      clock: () => this.now,
      env: NO_CATALOG_CACHE,
      ...options,
    });
    this.onClose(() => pipeline.close());
    return pipeline;
  }

  /** Logs a run with one metric, which began `back` ms ago. @returns its id */
  log(experiment_id: string, back: number, key: string, value: number): string {
    const start_time = this.now - back;
    const metrics = [{ key, value, step: 0, timestamp: start_time }];
    return this.mlflow.run({ experiment_id, start_time, end_time: start_time + MINUTE, metrics }).run_id;
  }

  async close(): Promise<void> {
    for (const close of this.closing.reverse()) await close();
  }
}

/** The statuses of the metrics of a day, in the order of the rows. */
export const statuses = async (pipeline: OpenService, day: string): Promise<string[]> =>
  (await pipeline.rows<{ status: string }>('enriched_metrics', day, 'status')).map(({ status }) => status);
