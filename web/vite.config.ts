import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

/** The most that all JavaScript of the page may have together, compressed with gzip. */
const MAX_SCRIPT_BYTES = 70 * 1024;

/**
 * Compresses files at build time (.br and .gz), so that the server can send them as they are.
 * @throws the scripts are too large
 */
function compressed(): Plugin {
  let folder = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved({ build }) {
      folder = build.outDir;
    },
    async closeBundle() {
      let scripts = 0;
      for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
        if (!entry.isFile() || !/\.(js|css|svg)$/.test(entry.name)) continue;
        const file = join(entry.parentPath, entry.name);
        const content = await readFile(file);
        await writeFile(`${file}.br`, brotliCompressSync(content));
        const gzipped = gzipSync(content, { level: 9 });
        await writeFile(`${file}.gz`, gzipped);
        if (entry.name.endsWith('.js')) scripts += gzipped.length;
      }
      const size = `${(scripts / 1024).toFixed(1)} KB of JavaScript, compressed`;
      if (scripts > MAX_SCRIPT_BYTES) throw new Error(`The page has ${size}; the limit is 70 KB.`);
      this.info(size);
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  // Relative: the service may be below a path of a proxy.
  base: './',
  plugins: [compressed()],
  build: {
    outDir: join(import.meta.dirname, '../dist/web'),
    emptyOutDir: true,
    target: 'es2022',
    // The page's Content-Security-Policy forbids `data:` URLs.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  // For `vite web` next to a running service.
  server: { proxy: { '/api': process.env.SERVICE_URL ?? 'http://127.0.0.1:3000' } },
});
