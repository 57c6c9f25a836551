import type { ApplicationNow, Attention } from '../../../src/dashboard/contract.js';
import type { Light } from '../../../src/domain/model.js';
import { filterOf, isFiltering, listed, passes, toggled } from '../../../web/src/platform/filter.js';

const now = (application: string, light: Light, owner: string | null = null, needs_attention = false) =>
  ({ application, light, owner, needs_attention }) as ApplicationNow;
const attention = (application: string, metric: string) =>
  ({ application, metric: { name: metric, display_name: metric } }) as Attention;
const query = (text: string) => (name: string) => new URLSearchParams(text).get(name);

const ALL = listed(
  [now('b', 'healthy', 'Growth'), now('a', 'no_data'), now('c', 'critical', 'Payments ML', true)],
  [attention('c', 'recall')],
);
const found = (text: string) =>
  ALL.filter((each) => passes(each, filterOf(query(text)))).map((each) => each.now.application);

describe('the filter', () => {
  it('lists the worst first', () => {
    expect(found('')).toEqual(['c', 'a', 'b']);
    const idle = [now('old', 'no_data'), now('stopped', 'no_data', null, true)];
    expect(listed(idle, []).map((each) => each.now.application)).toEqual(['stopped', 'old']);
  });

  it.each([
    ['q=RECALL', ['c']],
    ['q=payments+c', ['c']],
    ['q=growth', ['b']],
    ['q=nothing', []],
    ['status=critical,no_data', ['c', 'a']],
    ['status=unknown', ['c', 'a', 'b']],
    ['owner=Growth', ['b']],
    ['owner=Growth&status=critical', []],
  ])('%s shows %j', (text, names) => {
    expect(found(text)).toEqual(names);
  });

  it('is active only if something is left out by it', () => {
    expect(isFiltering(filterOf(query('q=+&status=nonsense')))).toBe(false);
    expect(isFiltering(filterOf(query('owner=x')))).toBe(true);
  });

  it('switches lights in a fixed order, so that one choice has one address', () => {
    expect(toggled(['healthy'], 'critical')).toBe('critical,healthy');
    expect(toggled(['critical', 'healthy'], 'critical')).toBe('healthy');
    expect(toggled(['critical'], 'critical')).toBeNull();
  });
});
