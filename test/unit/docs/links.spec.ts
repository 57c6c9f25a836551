import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

const IGNORED = new Set(['node_modules', 'dist', 'coverage', '.git', 'data', 'data-demo', '__pycache__']);

/** Every file and folder of the repository, relative to its root, `/` between the parts. */
function pathsBelow(folder: string): string[] {
  return readdirSync(folder || '.', { withFileTypes: true })
    .filter(({ name }) => !IGNORED.has(name))
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      return entry.isDirectory() ? [path, ...pathsBelow(path)] : [path];
    });
}

const PATHS = new Set(pathsBelow(''));
const DOCUMENTS = [...PATHS].filter((path) =>
  /^((README|CONTRIBUTING|CHANGELOG)\.md|docs\/.*\.md)$/.test(path),
);
/** Folders whose paths are written in backticks. */
const REPOSITORY_PATH = /^(src|test|docs|scripts|web|deploy|\.ci)\/[\w./*{},-]*$/;

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, '');
const diagramsOf = (text: string): string => (text.match(/^```mermaid[\s\S]*?^```/gm) ?? []).join('\n');

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(text).matchAll(/^#{1,6} +(.+?) *$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\p{M} _-]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** `a/{b,c}.ts` names two files; `*` stands for any characters within a part of a path. */
function exists(path: string): boolean {
  const braces = /\{([^}]*)\}/.exec(path);
  if (braces) return (braces[1] ?? '').split(',').every((part) => exists(path.replace(braces[0], part)));
  const wanted = path.replace(/\/$/, '');
  if (!wanted.includes('*')) return PATHS.has(wanted);
  const pattern = wanted.replaceAll('.', '\\.').replaceAll('**', '[^]+').replaceAll('*', '[^/]+');
  return [...PATHS].some((each) => new RegExp(`^${pattern}$`).test(each));
}

/** What is wrong with the links and paths of a document. */
function deadLinksOf(document: string, text: string): string[] {
  const prose = withoutCode(text);
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target = '']) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? document : posix.join(posix.dirname(document), path);
    if (file !== document && !PATHS.has(file.replace(/\/$/, '')))
      return [`${document} links to ${target}, which does not exist`];
    const isDead =
      anchor !== undefined && !anchorsOf(file === document ? text : readFileSync(file, 'utf8')).has(anchor);
    return isDead ? [`${document} links to ${target}, which is not a heading of ${file}`] : [];
  });
  const named = [...prose.matchAll(/`([^`\n]+)`/g)].flatMap(([, path = '']) =>
    REPOSITORY_PATH.test(path) && !exists(path) ? [`${document} names ${path}, which does not exist`] : [],
  );
  // In a diagram the folder `src/` is left out, and so is the folder of a file beside the one named before it.
  const drawn = [...diagramsOf(text).matchAll(/[\w/.-]+\.(?:tsx?|sql)\b/g)].flatMap(([path]) =>
    exists(`src/${path}`) || exists(path) || (!path.includes('/') && exists(`src/*/${path}`))
      ? []
      : [`${document} draws ${path}, which does not exist`],
  );
  return [...links, ...named, ...drawn];
}

describe('the documents', () => {
  it.each(DOCUMENTS)('%s has no dead link and names no missing file', (document) => {
    expect(deadLinksOf(document, readFileSync(document, 'utf8'))).toEqual([]);
  });

  it('finds dead links, anchors and paths', () => {
    const text = [
      '# A title with `code`',
      '[ok](faults.md) [ok](#a-title-with-code) [ok](https://example.com/nothing) `src/main.ts` `src/{cli,http}/`',
      '[dead](nothing.md) [dead](faults.md#nothing) [dead](#nothing) `src/nothing.ts` `src/{cli,nothing}/` `src/*.nothing`',
      '```mermaid',
      'A["pipeline/engine.ts and nothing.ts"]',
      '```',
    ].join('\n');
    expect(deadLinksOf('docs/page.md', text)).toEqual([
      'docs/page.md links to nothing.md, which does not exist',
      'docs/page.md links to faults.md#nothing, which is not a heading of docs/faults.md',
      'docs/page.md links to #nothing, which is not a heading of docs/page.md',
      'docs/page.md names src/nothing.ts, which does not exist',
      'docs/page.md names src/{cli,nothing}/, which does not exist',
      'docs/page.md names src/*.nothing, which does not exist',
      'docs/page.md draws nothing.ts, which does not exist',
    ]);
  });
});
