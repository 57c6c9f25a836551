// A proxy in front of an S3 server that delays each request. Calls: `start`, `take` (the requests since the last call, by method).

import { FaultProxy } from '../../test/support/fault-proxy.ts';
import { answerCalls } from '../lib/answer-calls.mjs';

let proxy;
answerCalls({
  async start({ upstream, delayMs }) {
    proxy = await FaultProxy.start(upstream);
    proxy.decide = () => ({ delayMs });
    return proxy.url;
  },
  take() {
    const counts = {};
    for (const { method } of proxy.requests.splice(0)) counts[method] = (counts[method] ?? 0) + 1;
    return counts;
  },
});
