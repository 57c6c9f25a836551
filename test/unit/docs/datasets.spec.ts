import { readFileSync } from 'node:fs';
import { PYTHON_SCHEMAS, pythonSchemas, withDictionary } from '../../../scripts/datasets-docs.js';

test('docs/datasets.md describes the columns as they are checked: `npm run datasets` updates it', () => {
  const page = readFileSync('docs/datasets.md', 'utf8');
  // The formatter aligns the columns of tables.
  const compact = (text: string) => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---');
  expect(compact(page)).toBe(compact(withDictionary(page)));
});

test('the Python module knows the same columns: `npm run datasets` updates it', () => {
  expect(readFileSync(PYTHON_SCHEMAS, 'utf8')).toBe(pythonSchemas());
});
