/**
 * A preload (`node --import`) that stops the wall clock at `FROZEN_AT`, ms, and with `FROZEN_STOPWATCH` also
 * `performance.now()`, from which the service takes the duration of a request. Timers still run in real time.
 */
const now = Number(process.env.FROZEN_AT);
const RealDate = Date;
RealDate.now = () => now;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length > 0 ? args : [now], newTarget),
  apply: () => new RealDate(now).toString(),
});
if (process.env.FROZEN_STOPWATCH) performance.now = () => 1_000;
