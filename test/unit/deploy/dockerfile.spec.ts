import { readFile } from 'node:fs/promises';
import { validate } from 'dockerfile-utils';

it('the linter finds nothing in the Dockerfile', async () => {
  const findings = validate(await readFile('Dockerfile', 'utf8'));
  expect(findings.map(({ range, message }) => `${range.start.line + 1}: ${message}`)).toEqual([]);
});
