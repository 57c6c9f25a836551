/**
 * Makes this process answer the calls of `startProgram`.
 * @param handlers functions by name; each gets the message
 */
export function answerCalls(handlers, onDisconnect = () => undefined) {
  process.on('message', async ({ id, call, ...args }) => {
    try {
      process.send({ id, result: (await handlers[call](args)) ?? null });
    } catch (error) {
      process.send({ id, error: error.stack ?? String(error) });
    }
  });
  // Messages that arrive before there is a listener are lost.
  process.send({ id: 'ready' });
  process.on('disconnect', async () => {
    await onDisconnect();
    process.exit();
  });
}
