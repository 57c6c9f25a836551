// Polls the URL in its argument every 20 ms until its standard input ends, then prints as JSON the longest time of a response
// (ms) and the number of requests. A process of its own, so that its event loop is idle.
import { Agent, get } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';

const [, , url] = process.argv;
const agent = new Agent({ keepAlive: true });
let ended = false;
process.stdin.on('end', () => {
  ended = true;
});
process.stdin.resume();
const request = () =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => response.resume().on('end', resolve)).on('error', reject);
  });
let longest = 0;
let requests = 0;
while (!ended) {
  const begin = performance.now();
  await request();
  requests++;
  longest = Math.max(longest, performance.now() - begin);
  await wait(20);
}
process.stdout.write(JSON.stringify({ longest: Math.round(longest), requests }));
process.exit(0);
