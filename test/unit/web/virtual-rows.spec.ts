import { visibleRows } from '../../../web/src/marks/virtual-rows.js';

describe('the rows of a long list in the window', () => {
  it('are a few of a thousand, wherever it is scrolled', () => {
    expect(visibleRows(300, 900, 40, 1_000)).toEqual({ from: 0, to: 23 });
    expect(visibleRows(-20_000, 900, 40, 1_000)).toEqual({ from: 492, to: 531 });
    expect(visibleRows(-60_000, 900, 40, 1_000)).toEqual({ from: 1_000, to: 1_000 });
    expect(visibleRows(0, 900, 40, 3)).toEqual({ from: 0, to: 3 });
  });
});
