import { parse } from 'yaml';
import { type CatalogAdditions, insertRows } from '../../../src/cli/suggest/insert-rows.js';

const METRIC = { metric_name: 'f1', higher_is_better: true };
const THRESHOLD = { metric_name: 'f1', critical_threshold: 0.5, warning_threshold: 0.6 };
const BOTH: CatalogAdditions = { metrics: [METRIC], thresholds: [THRESHOLD] };
const insert = (text: string, additions = BOTH) => insertRows(text, additions, 'catalog.yaml');

const YAML = `# Ours
metrics:
  - { metric_name: accuracy, higher_is_better: true } # fixed

thresholds:
  # agreed with the team
  - metric_name: accuracy
    critical_threshold: 0.7 # hard
    warning_threshold: 0.8

# end
`;

describe('rows added to a catalog file', () => {
  it('leave comments, order and format of YAML as they are', () => {
    const { text, diff } = insert(YAML);
    expect(text).toBe(`# Ours
metrics:
  - { metric_name: accuracy, higher_is_better: true } # fixed
  - {"metric_name":"f1","higher_is_better":true}

thresholds:
  # agreed with the team
  - metric_name: accuracy
    critical_threshold: 0.7 # hard
    warning_threshold: 0.8
  - {"metric_name":"f1","critical_threshold":0.5,"warning_threshold":0.6}

# end
`);
    expect(diff).toBe(`--- catalog.yaml
+++ catalog.yaml
@@ -1,6 +1,7 @@
 # Ours
 metrics:
   - { metric_name: accuracy, higher_is_better: true } # fixed
+  - {"metric_name":"f1","higher_is_better":true}
 
 thresholds:
   # agreed with the team
@@ -7,5 +8,6 @@
   - metric_name: accuracy
     critical_threshold: 0.7 # hard
     warning_threshold: 0.8
+  - {"metric_name":"f1","critical_threshold":0.5,"warning_threshold":0.6}
 
 # end`);
  });

  it.each([
    ['an empty file', ''],
    ['a file with one of the lists', 'metrics:\n- metric_name: a\n'],
    ['a list at the end, without a line break', 'thresholds:\n- metric_name: a\n  warning_threshold: 1'],
    ['a list in brackets', 'metrics: [{ metric_name: a }, { metric_name: b }]\nthresholds: []\n'],
    [
      'JSON',
      JSON.stringify({ metrics: [{ metric_name: 'a' }], thresholds: [{ metric_name: 'a' }] }, null, 2),
    ],
    ['JSON without a list', '{"thresholds": [{"metric_name": "a"}]}'],
    ['JSON with an empty list', '{"metrics": [], "thresholds": [{"metric_name": "a"}]}\n'],
    ['JSON on one line', '{"metrics":[{"metric_name":"a"}],"thresholds":[{"metric_name":"a"}]}'],
    ['other keys', 'owner: x\nthresholds:\n    - { metric_name: a } # last\nnote: y\n'],
  ])('extend the lists of %s', (_, before) => {
    const { text } = insert(before);
    const old = parse(before) ?? {};
    expect(parse(text)).toEqual({
      ...old,
      metrics: [...(old.metrics ?? []), METRIC],
      thresholds: [...(old.thresholds ?? []), THRESHOLD],
    });
    if (before.startsWith('{')) expect(() => JSON.parse(text)).not.toThrow();
  });

  it('are refused if the file has another shape', () => {
    expect(() => insert('response:\n  thresholds: []\n')).not.toThrow();
    expect(() => insert('- a\n- b\n')).toThrow('cannot be added to catalog.yaml');
    expect(() => insert('thresholds: none\n')).toThrow('cannot be added to catalog.yaml');
  });
});
