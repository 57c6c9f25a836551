import { Controller, Get, Inject, Module, ServiceUnavailableException } from '@nestjs/common';
import type { Engine } from '../pipeline/engine.js';
import { ENGINE } from '../pipeline/tokens.js';
import type { ObjectStore } from '../storage/object-store.js';
import { OBJECT_STORE } from '../storage/tokens.js';

/** A job that one process has held for longer is stuck. */
const STUCK_MS = 2 * 3_600_000;

@Controller('health')
export class HealthController {
  constructor(
    @Inject(ENGINE) private readonly engine: Engine,
    @Inject(OBJECT_STORE) private readonly store: ObjectStore,
  ) {}

  /** Of this process alone: that it answers shows its event loop turns. */
  @Get('live')
  live(): { status: 'ok' } {
    const held = this.engine.oldestHeld();
    if (held > STUCK_MS) {
      throw new ServiceUnavailableException(`A job is held for ${Math.round(held / 60_000)} minutes`);
    }
    return { status: 'ok' };
  }

  /** Whether the store and the queues answer. */
  @Get('ready')
  async ready(): Promise<{ status: 'ok' }> {
    try {
      await this.store.head('_state/source.json');
      await this.engine.ping();
    } catch (error) {
      throw new ServiceUnavailableException(error instanceof Error ? error.message : String(error));
    }
    return { status: 'ok' };
  }
}

@Module({ controllers: [HealthController] })
export class HealthModule {}
