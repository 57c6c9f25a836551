import { changedDays } from '../../../src/dashboard/published-objects.js';
import {
  catalogOutage,
  endedBetween,
  laggingExperiments,
  type ServiceState,
} from '../../../src/dashboard/service-state.js';
import { PIPELINE_KINDS, type PipelineKind } from '../../../src/domain/model.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import type { CatalogState } from '../../../src/state/catalog-state.js';
import type { StoredExperiment } from '../../../src/state/experiments.js';
import { type KindState } from '../../../src/state/kind-state.js';

const experiment = (name: string, listed = true): StoredExperiment => ({
  name,
  listed,
  lifecycle_stage: 'active',
  tags: {},
  observed_at: 0,
  swept: true,
});
const NEWEST = { refused: [{ experiment_id: '3', message: 'no permission' }] } as unknown as PipelineRun;

describe('laggingExperiments', () => {
  const state = {
    experiments: {
      '1': experiment('front'),
      '2': experiment('behind'),
      '3': experiment('refused'),
      '4': experiment('new'),
      '5': experiment('behind, not listed', false),
      '6': experiment('behind, out of scope'),
    },
    watermarks: { '1': 5_000, '2': 4_000, '5': 1_000, '6': 1_000 },
    newestDone: NEWEST,
  };
  it('names those behind the others, and the refused ones with the message', () => {
    expect(laggingExperiments(state, { include: [], exclude: ['*scope'] })).toEqual([
      { experiment_id: '2', name: 'behind', read_until: '1970-01-01T00:00:04.000Z', message: null },
      { experiment_id: '3', name: 'refused', read_until: null, message: 'no permission' },
    ]);
  });

  it('finds none in a store that has read nothing', () => {
    const nothing = { experiments: state.experiments, watermarks: {}, newestDone: null };
    expect(laggingExperiments(nothing, { include: [], exclude: [] })).toEqual([]);
  });
});

describe('catalogOutage', () => {
  const state = (code: string, status: number | null, more: Partial<CatalogState> = {}): CatalogState => ({
    version: 1,
    last_success: Date.parse('2026-11-12T11:02:00Z'),
    last_error: { at: 0, code, message: 'told in the log', status },
    awaited: false,
    refused: 0,
    ...more,
  });
  it.each([
    ['catalog_busy', 503, 'the catalog does not answer (HTTP 503)'],
    ['catalog_unreachable', null, 'the catalog does not answer'],
    ['catalog_away', null, 'the catalog does not answer'],
    ['catalog_refused', 401, 'the catalog refuses to answer (HTTP 401)'],
    ['catalog_unreadable', null, 'the catalog cannot be read'],
    ['catalog_too_big', null, 'the catalog sends more than is read'],
  ])('tells of %s, HTTP status %p', (code, status, reason) => {
    const as_of = '2026-11-12T11:02:00.000Z';
    expect(catalogOutage(state(code, status))).toEqual({ as_of, reason, waiting: false });
  });

  it('tells that judging waits, and of a catalog that never answered', () => {
    const waiting = state('catalog_busy', 503, { last_success: null, awaited: true });
    expect(catalogOutage(waiting)).toMatchObject({ as_of: null, waiting: true });
  });

  it('is none while the catalog answers', () => {
    expect(catalogOutage(state('', null, { last_error: null }))).toBeNull();
  });
});

describe('endedBetween', () => {
  const state = (kinds: Partial<Record<PipelineKind, readonly [sequence: number, active: string[]]>>) =>
    ({
      kinds: Object.fromEntries(
        PIPELINE_KINDS.map((kind): [PipelineKind, KindState] => {
          const [sequence, active] = kinds[kind] ?? [0, []];
          return [
            kind,
            {
              version: 1,
              sequence,
              last_nominal: null,
              last_finished: null,
              active: [...active],
              windows: {},
            },
          ];
        }),
      ),
    }) as unknown as ServiceState;
  it('finds runs that were at work and those that came and went', () => {
    const before = state({ delta: [4, ['delta-4']], backfill: [1, ['backfill-1']] });
    const after = state({ delta: [6, ['delta-6']], backfill: [1, ['backfill-1']], backup: [1, []] });
    expect(endedBetween(before, after)).toEqual(['delta-4', 'delta-5', 'backup-1']);
    expect(endedBetween(after, after)).toEqual([]);
  });
});

describe('changedDays', () => {
  it('finds what is new, other and gone, newest first', () => {
    const key = (day: string) => `runs/2026/03/${day}/part-0.parquet`;
    const before = new Map([
      [key('01'), 'a'],
      [key('02'), 'b'],
      [key('03'), 'c'],
    ]);
    const after = new Map([
      [key('02'), 'b'],
      [key('03'), 'd'],
      [key('04'), 'e'],
    ]);
    expect(changedDays(before, after)).toEqual(['2026-03-04', '2026-03-03', '2026-03-01']);
    expect(changedDays(after, after)).toEqual([]);
  });
});
