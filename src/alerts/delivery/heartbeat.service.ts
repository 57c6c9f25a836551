import { Inject, Injectable, Logger, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { STOPPING } from '../../config/runtime.js';
import { SETTINGS, type Settings } from '../../config/settings.js';
import { reportError } from '../../observability/report-error.js';
import { ENGINE, type Engine } from '../../pipeline/engine.js';
import type { PipelineRun } from '../../pipeline/pipeline-run.js';
import { RetryableError, withRetries } from '../../upstream/retry-policy.js';
import { createAddressGuard } from '../channels/address-guard.js';
import { ATTEMPT_MS } from '../channels/contract.js';
import { sendRequest } from '../channels/http-post.js';

const RETRIES = { maxRetries: 2, firstWaitMs: 2_000, maxWaitMs: 10_000, jitter: 0.5 } as const;

/**
 * Requests `ALERT_HEARTBEAT_URL` after each delta that succeeded. Who is behind it alerts when the requests stop: a service
 * that is down, or whose store is, can alert nobody.
 */
@Injectable()
export class HeartbeatService implements OnModuleInit, OnModuleDestroy {
  private readonly log = new Logger('Heartbeat');
  private isFailing = false;
  private readonly onFinished = ({ kind, status }: PipelineRun, here: boolean): void => {
    if (here && kind === 'delta' && status === 'done') void this.beat();
  };

  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(SETTINGS) private readonly settings: Settings,
    @Inject(STOPPING) private readonly stopping: AbortSignal,
  ) {}

  onModuleInit(): void {
    if (this.settings.ALERT_HEARTBEAT_URL) this.engine.events.on('finished', this.onFinished);
  }

  onModuleDestroy(): void {
    this.engine.events.off('finished', this.onFinished);
  }

  private async beat(): Promise<void> {
    const { ALERT_HEARTBEAT_URL: url = '', ALERT_ALLOW_PRIVATE_ADDRESSES } = this.settings;
    const connection = { guard: createAddressGuard(ALERT_ALLOW_PRIVATE_ADDRESSES), timeoutMs: ATTEMPT_MS };
    try {
      await withRetries({ ...RETRIES, signal: this.stopping }, async () => {
        const { status } = await sendRequest(connection, { url }).catch((error) => {
          throw new RetryableError(error);
        });
        if (status >= 300) throw new RetryableError(new Error(`HTTP ${status}`));
      });
      if (this.isFailing) this.log.log('The heartbeat works again');
      this.isFailing = false;
    } catch (error) {
      reportError(error, { stage: 'heartbeat', upstream: 'alerts', prefix: 'The heartbeat failed' });
      this.isFailing = true;
    }
  }
}
