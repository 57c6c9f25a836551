import type { FetchResult, Plan, Slice } from '../../src/pipeline/stage-contracts.js';

// A slice, a plan and a fetch result: empty except for the given fields.

export const sliceOf = (rest: Partial<Slice>): Slice => ({
  id: 'c0-20260310',
  chunk: 0,
  from: 0,
  to: 1,
  open_end: false,
  last: false,
  ...rest,
});

export const planOf = (rest: Partial<Plan>): Plan => ({
  from: 0,
  to: 0,
  chunks: [],
  slices: [],
  lists_once: false,
  open: [],
  dirty: { days: [], quarantine_days: [], keys: [] },
  page_size: 100,
  ...rest,
});

export const fetchResultOf = (rest: Partial<FetchResult>): FetchResult => ({
  pages: [],
  gone: [],
  answered: [],
  refused: [],
  bytes: 0,
  ...rest,
});
