import { type AlertMessage, planMessages, tellsNoise } from '../../domain/alerts/plan-messages.js';
import type { DeliveryPolicy } from '../../domain/alerts/routes.js';
import { AlertChain } from '../../state/alerts/evaluations.js';
import {
  messageName,
  type Outbox,
  readOutbox,
  type SealedMessage,
  sealMessage,
  updateOutbox,
} from '../../state/alerts/outbox.js';
import { ensureStoreIdentity } from '../../state/store-identity.js';
import type { ObjectStore } from '../../storage/object-store.js';
import { addMessages } from './outbox-changes.js';

/**
 * Seals the messages of all evaluations that have none yet: each as an object that is put once, then all of an evaluation by
 * one change of the outbox. Any number of processes may do so at once, and repeat it after a crash anywhere.
 * @param now ms
 * @returns the outbox
 */
export async function sealMessages(
  store: ObjectStore,
  policy: DeliveryPolicy,
  now: number,
  chain = new AlertChain(store),
): Promise<Outbox> {
  let outbox = await readOutbox(store);
  const newest = await chain.newest();
  if (!newest || newest.sequence <= (outbox.plan?.through ?? 0)) return outbox;
  const identity = await ensureStoreIdentity(store);
  for await (const evaluation of chain.after(outbox.plan?.through ?? 0)) {
    const history = tellsNoise(outbox.plan, evaluation, policy)
      ? (await chain.history()).filter(({ sequence }) => sequence <= evaluation.sequence)
      : [];
    const plan = planMessages(outbox.plan, evaluation, policy, history);
    const sealed = await Promise.all(
      plan.messages.map(async (message) => {
        const name = messageName(evaluation.sequence, message.route, message.kind);
        return { name, message: await sealMessage(store, name, withId(message, identity, name)) };
      }),
    );
    await updateOutbox(store, (current) => {
      // Another process has planned this evaluation: its messages count.
      if ((current.plan?.through ?? 0) >= evaluation.sequence) return undefined;
      return addMessages(current, plan.state, sealed, now);
    });
    outbox = await readOutbox(store);
  }
  return outbox;
}

/** Unique over all installations. Standard Webhooks forbids full stops. */
const withId = (message: AlertMessage, identity: string, name: string): SealedMessage => ({
  version: 1,
  id: `msg_${identity}_${name.replaceAll('.', '_')}`,
  ...message,
});
