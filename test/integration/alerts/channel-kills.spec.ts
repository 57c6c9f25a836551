import { readDeliveries, readOutbox } from '../../../src/state/alerts/outbox.js';
import { RECEIVER_TYPES, type Receiver, type ReceiverType, receiver } from '../../support/alert-receivers.js';
import { ScriptedServer } from '../../support/scripted-server.js';
import { incident } from '../../unit/domain/alerts/incidents.js';
import { evaluation, Installation } from './delivery-fixture.js';
import { opened } from './opened.js';

const [A, B] = ['a', 'b'].map((id) =>
  incident({ id, subject: { scope: 'application', application: `app-${id}`, metric: null, item: null } }),
) as [ReturnType<typeof incident>, ReturnType<typeof incident>];

let server: ScriptedServer;
beforeAll(async () => {
  server = await ScriptedServer.start();
});
afterAll(() => server.close());
beforeEach(() => {
  server.received.length = 0;
});

function installed(type: ReceiverType): { readonly to: Receiver; readonly installation: Installation } {
  const to = receiver(type, server.uri);
  server.script = [to.answer];
  return { to, installation: new Installation({ default: [opened(to.settings, to.env)] }) };
}

/** What must have arrived of each message, in this order. */
const EXPECTED: Readonly<Record<ReceiverType, readonly RegExp[]>> = {
  teams: [/CRITICAL app-a/, /CRITICAL app-b/, /RECOVERED app-a/],
  pagerduty: [/^a trigger$/, /^b trigger$/, /^a resolve$/],
  alertmanager: [/^a$/, /^b$/, /^a$/],
  github: [/^a app-a$/, /^b app-b$/],
  'slack-bot': [
    /^post .*CRITICAL app-a.* and 1 more/,
    /^reply .*RECOVERED app-a/,
    /^update .*RECOVERED app-a/,
  ],
};

describe.each(RECEIVER_TYPES)('%s', (type) => {
  describe.each(['before', 'after'] as const)('of a process that is killed %s a put', (when) => {
    // Seals, takes, remembers, records and removes: channels with a memory put most often.
    test.each([1, 2, 3, 4, 5, 6, 7, 8])('number %i loses nothing and keeps the order', async (puts) => {
      const { to, installation } = installed(type);
      await installation.evaluate(
        evaluation(1, [
          ['fired', A],
          ['fired', B],
        ]),
      );
      const victim = installation.process(installation.dyingStore(puts, when));
      await victim.notifier
        .sweep()
        .then(() => installation.work(victim))
        .catch(() => undefined);
      installation.queue.flush();
      const later = installation.process();
      const rest = async () => {
        // The lease of the process that is gone must end.
        for (let minutes = 0; minutes < 3; minutes++) {
          await later.notifier.sweep();
          await installation.work(later);
          installation.now += 60_000;
        }
      };
      await rest();
      await installation.evaluate(evaluation(2, [['recovered', A]]));
      await rest();
      expect((await readOutbox(installation.store)).unfinished).toEqual([]);
      const statuses = (await readDeliveries(installation.store, 9)).map(({ status }) => status).reverse();
      expect(statuses).toEqual(['delivered', type === 'github' ? 'skipped' : 'delivered']);
      expect(to.refused).toEqual([]);
      // 0 lost, and in order; what is repeated after a kill has the same id where the receiver knows ids.
      let from = 0;
      for (const each of EXPECTED[type]) {
        const found = to.taken.findIndex((taken, n) => n >= from && each.test(taken));
        expect(found).toBeGreaterThanOrEqual(from);
        from = found + 1;
      }
      const ids = new Set(to.taken.filter((taken) => /^[ab] /.test(taken)));
      if (type === 'pagerduty') expect(ids.size).toBe(3);
      if (type === 'github') expect(ids.size).toBe(2);
    });
  });

  test('neither the queue nor the store nor the log contains its secret', async () => {
    const { installation } = installed(type);
    server.script = [(response) => void response.writeHead(500).end()];
    const process = installation.process();
    await installation.evaluate(evaluation(1, [['fired', A]]));
    await process.notifier.sweep();
    await process.notifier.enqueueResends();
    await installation.work(process);
    const stored =
      [...installation.store.objects.values()].join() + JSON.stringify([...installation.queue.jobs]);
    expect(stored).toContain('HTTP 500');
    expect(stored + installation.logged.join()).not.toMatch(/hidden|127\.0\.0\.1/);
  });
});
