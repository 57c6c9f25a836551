import type { Settings } from '../config/settings.js';
import { replayedSchema } from '../quality/contract.js';
import { replayQuarantine } from '../quality/quarantine.js';
import { runOnce } from './run.js';
import { ADMIN_TOKEN_HINT, type RemoteService, sendToService } from './service-client.js';

/**
 * Reads the runs in quarantine from MLflow again: by a running service, or by a delta in this process.
 * @param runIds only these; none: all
 * @returns whether it succeeded
 */
export async function replay(source: RemoteService | Settings, runIds: readonly string[]): Promise<boolean> {
  const request = runIds.length > 0 ? { run_ids: [...runIds] } : {};
  const report = ({ runs, skipped }: { runs: number; skipped: number }) => {
    console.log(`Runs in quarantine that are read again from MLflow: ${runs}`);
    if (skipped > 0) console.log(`${skipped} records name no run or no experiment and stay.`);
  };
  if ('url' in source) {
    const path = 'api/v1/admin/quarantine/replay';
    report(
      await sendToService(
        source,
        { method: 'POST', path, body: request, tokenHint: ADMIN_TOKEN_HINT },
        replayedSchema,
      ),
    );
    return true;
  }
  return runOnce(source, 'delta', async (engine, { store }) => {
    report(await replayQuarantine(store, request));
    return engine.create('delta', { scheduledAt: null });
  });
}
