import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';

/**
 * A proxy in front of a tracking server that stores each request, and the page of runs that answers it.
 * @param folder gets the pages
 */
export async function startRecordingProxy(upstream, folder) {
  const requests = [];
  const pages = [];
  const server = createServer(async (incoming, outgoing) => {
    try {
      const chunks = [];
      for await (const chunk of incoming) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      const { method, url } = incoming;
      const request = { method, path: url, body };
      requests.push(request);
      const response = await fetch(upstream + url, {
        method,
        headers: { 'Content-Type': 'application/json' },
        ...(method === 'POST' ? { body } : {}),
      });
      const content = Buffer.from(await response.arrayBuffer());
      if (url.endsWith('/runs/search') && content.includes('"runs"')) {
        const file = join(folder, `page-${pages.length}.json`);
        pages.push(file);
        await writeFile(file, content);
      }
      const headers = { 'Content-Type': 'application/json', Date: response.headers.get('date') };
      outgoing.writeHead(response.status, headers).end(content);
    } catch {
      outgoing.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { uri: `http://127.0.0.1:${server.address().port}`, requests, pages, stop };
}
