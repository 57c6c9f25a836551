import { parseAlertsFile, parseOwnersFile, policyOf } from '../../../src/alerts/policy-file.js';
import { DEFAULT_POLICY } from '../../../src/domain/alerts/policy.js';

const parse = (text: string) => parseAlertsFile('alerts.yaml', text);

test('A file that says nothing is the default policy', () => {
  expect(policyOf(parse('version: 1'))).toEqual(DEFAULT_POLICY);
});

test('A file changes what it names, and leaves the rest as it is', () => {
  const { rules } = policyOf(
    parse('version: 1\nrules:\n  silent: { enabled: false }\n  pass_rate:\n    limit: 70\n'),
  );
  expect(rules.silent).toEqual({ ...DEFAULT_POLICY.rules.silent, enabled: false });
  expect(rules.pass_rate).toEqual({ ...DEFAULT_POLICY.rules.pass_rate, limit: 70 });
  expect(rules.critical_runs).toEqual(DEFAULT_POLICY.rules.critical_runs);
});

test.each([
  [
    'an unknown key',
    'version: 1\nrules:\n  silent:\n    limitt: 3\n',
    'line 4: rules.silent.limitt is not a key',
  ],
  ['an unknown rule', 'version: 1\nrules:\n  silnt: {}\n', 'line 3: rules.silnt'],
  ['an unknown key of the file', 'version: 1\n\nrouts: []\n', 'line 3: routs is not a key'],
  ['a wrong value', 'version: 1\nrules:\n  silent:\n    no_data: never\n', 'line 4: rules.silent.no_data: '],
  [
    'a wrong value in a list',
    'version: 1\nroutes:\n  - name: a\n    channels: []\n',
    'line 4: routes.0.channels: ',
  ],
  ['another version', 'version: 2', 'line 1: version: expected 1'],
  ['no version', 'rules: {}', 'version: expected 1'],
  ['an empty file', '', 'the file: '],
  ['no YAML', 'version: 1\nrules: [', 'line 2'],
  ['a key twice', 'version: 1\nversion: 1\n', 'line 2'],
  ['N of M that cannot be', 'version: 1\nrules: { silent: { violations: 3 } }', 'at least 3'],
  ['an alias', 'version: 1\nrules: &a {}\nroutes: *a', 'alias'],
])('%s is refused with its line and what is expected', (_, text, message) => {
  expect(() => parse(text)).toThrow(message);
  expect(() => parse(text)).toThrow('alerts.yaml');
});

test('Owners are patterns with an owner, a contact and a runbook', () => {
  const text = `version: 1
owners:
  - application: fraud-*
    owner: ml-fraud
    runbook: https://wiki.example.com/fraud
`;
  expect(parseOwnersFile('owners.yaml', text)).toEqual([
    { application: 'fraud-*', owner: 'ml-fraud', contact: null, runbook: 'https://wiki.example.com/fraud' },
  ]);
});

test('A runbook is an address of a web page', () => {
  const text = 'version: 1\nowners:\n  - application: "*"\n    runbook: javascript:alert(1)\n';
  expect(() => parseOwnersFile('owners.yaml', text)).toThrow(
    'owners.yaml, line 4: owners.0.runbook: expected a URL',
  );
});
