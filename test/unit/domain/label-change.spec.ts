import { type Labels, labelChange } from '../../../src/domain/label-change.js';

const runs = (...labels: Labels[]): Labels[] => labels;
const times = (count: number, labels: Labels): Labels[] => Array.from({ length: count }, () => labels);

describe('labelChange', () => {
  it('finds the param that had one value before and has another value since', () => {
    const before = times(5, { version: 'v1', market: 'de' });
    expect(labelChange(before, times(3, { version: 'v2', market: 'de' }))).toEqual({
      label: 'version',
      before: 'v1',
      after: 'v2',
    });
  });

  it.each([
    ['changed before', runs({ a: '1' }, { a: '2' }, { a: '2' }), times(2, { a: '3' })],
    ['changes with every run', runs({ a: '1' }, { a: '2' }, { a: '3' }), runs({ a: '4' }, { a: '5' })],
    ['changed back', times(3, { a: '1' }), runs({ a: '2' }, { a: '1' })],
    ['was not logged before', times(3, {}), times(3, { a: '1' })],
    ['is the same', times(3, { a: '1' }), times(3, { a: '1' })],
    [
      'only describes where the run was started',
      times(3, { 'mlflow.user': 'a' }),
      times(3, { 'mlflow.user': 'b' }),
    ],
    ['has too few runs before it', times(2, { a: '1' }), times(3, { a: '2' })],
    ['has no runs since', times(3, { a: '1' }), []],
  ])('ignores a label that %s', (_, before, since) => {
    expect(labelChange(before, since)).toBeNull();
  });

  it.each([
    [{ a: '', model_version: '', git_commit: '' }, 'model_version'],
    [{ alpha: '', model_name: '', training_data: '' }, 'model_name'],
    [{ alpha: '', 'mlflow.source.git.commit': '', dataset: '' }, 'dataset'],
    [{ alpha: '', 'mlflow.source.git.commit': '' }, 'mlflow.source.git.commit'],
    [{ beta: '', alpha: '' }, 'alpha'],
  ])('prefers the likeliest cause of several: %p', (labels, expected) => {
    const all = (value: string): Labels =>
      Object.fromEntries(Object.keys(labels).map((label) => [label, value]));
    expect(labelChange(times(3, all('1')), times(1, all('2')))?.label).toBe(expected);
  });
});
