import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AlertChain } from '../../src/state/alerts/evaluations.js';
import { readDeliveries, readOutbox } from '../../src/state/alerts/outbox.js';
import { FolderStore } from '../../src/storage/folder-store.js';
import { byId, evaluation, SECRET } from '../integration/alerts/delivery-fixture.js';
import { Program } from '../support/program.js';
import { type Answer, answer, ScriptedServer } from '../support/scripted-server.js';
import { incident } from '../unit/domain/alerts/incidents.js';
import { type Boundary, LOCK_MS } from './boundaries.js';
import { VICTIM } from './deployment.js';

const MESSAGE = /Message \S+ (delivered|had been recorded)/;
const put = (of: string, when: Boundary['when']): Boundary => ({ on: 'put', of, when });

/** Where the service is killed; `sent`: the receiver has the message, and has not answered. */
const BOUNDARIES: readonly [name: string, at: Boundary | 'sent'][] = [
  ['message not sealed', put('^_state/alerts/messages/', 'before')],
  ['message sealed', put('^_state/alerts/messages/', 'after')],
  // Its job belongs to no pipeline run.
  ['message enqueued', { on: 'add', of: '^undefined$', when: 'after' }],
  ['delivery sent but unanswered', 'sent'],
  ['delivery not recorded', put('^_state/alerts/deliveries/', 'before')],
  ['delivery recorded', put('^_state/alerts/deliveries/', 'after')],
];

describe('the service killed at', () => {
  it.concurrent.each(BOUNDARIES)('"%s" delivers each message under one id, and loses none', async (_, at) => {
    const folder = await mkdtemp(join(tmpdir(), 'alerts-'));
    const receiver = await ScriptedServer.start();
    const withStore = async <T>(use: (store: FolderStore) => Promise<T>): Promise<T> => {
      const store = await FolderStore.open({ dir: folder });
      return use(store).finally(() => store.close());
    };
    const start = (boundary?: Boundary) =>
      Program.start(
        [
          JSON.stringify({
            now: Date.now(),
            lockMs: LOCK_MS,
            ...(boundary ? { interruption: { boundary, signal: 'SIGKILL' } } : {}),
          }),
        ],
        {
          MLFLOW_TRACKING_URI: 'http://127.0.0.1:9',
          STORAGE_DIR: folder,
          PORT: '0',
          MAX_RETRIES: '0',
          ROLES: 'worker,scheduler',
          ALERT_WEBHOOK_URL: `${receiver.uri}/?secret`,
          ALERT_WEBHOOK_SECRET: SECRET,
          ALERT_ALLOW_PRIVATE_ADDRESSES: 'true',
        },
        VICTIM,
      );
    const programs: Program[] = [];
    try {
      const fired = ['a', 'b'].map((id) => ['fired', incident({ id })] as const);
      await withStore((store) =>
        new AlertChain(store).seal(
          evaluation(
            1,
            fired.map(([change, each]) => [change, each]),
          ),
        ),
      );
      const kill: Answer = () => void programs[0]?.signal('SIGKILL');
      receiver.script = at === 'sent' ? [kill, answer(204)] : [answer(204)];
      programs.push(start(at === 'sent' ? undefined : at));
      expect((await programs[0]?.exited)?.signal).toBe('SIGKILL');
      const later = start();
      programs.push(later);
      await later.line(MESSAGE);
      await later.stop();
      const messages = [...byId(receiver.received).values()];
      expect(messages.map(({ news }) => news)).toEqual([['a fired', 'b fired']]);
      const { outbox, deliveries } = await withStore(async (store) => ({
        outbox: await readOutbox(store),
        deliveries: await readDeliveries(store, 10),
      }));
      expect(outbox.unfinished).toEqual([]);
      expect(deliveries.map(({ status }) => status)).toEqual(['delivered']);
      expect(programs.flatMap(({ lines }) => lines).join('\n')).not.toMatch(/secret|whsec_/);
    } finally {
      await Promise.all(programs.map((program) => program.stop('SIGKILL')));
      await receiver.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
