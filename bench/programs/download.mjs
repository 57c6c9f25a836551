// Sends the requests of a file to a server over connections that are kept alive, and reads the responses without a look at them.
//   node download.mjs <uri> <file: JSON, [{ method, path, body }]> <requests at a time>
// Prints JSON: the seconds from the first request to the last byte, and the bytes.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';

const [uri, file, parallel] = process.argv.slice(2);
const requests = JSON.parse(readFileSync(file, 'utf8'));
const agent = new Agent({ keepAlive: true, maxSockets: Number(parallel) });
let bytes = 0;

async function send({ method, path, body }) {
  const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
  const sent = httpRequest(uri + path, { method, agent, headers });
  sent.end(body);
  const [response] = await once(sent, 'response');
  if (response.statusCode !== 200) throw new Error(`${path}: HTTP ${response.statusCode}`);
  for await (const chunk of response) bytes += chunk.length;
}

const start = performance.now();
let next = 0;
const worker = async () => {
  while (next < requests.length) await send(requests[next++]);
};
await Promise.all(Array.from({ length: Number(parallel) }, worker));
console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000, bytes }));
agent.destroy();
