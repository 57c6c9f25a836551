import { type Job, type Queue, UnrecoverableError } from 'bullmq';
import type { PipelineKind } from '../../../src/domain/model.js';
import type { PipelineRun } from '../../../src/pipeline/pipeline-run.js';
import { attemptOf, isLastAttempt, parseStageJob, StageJobs } from '../../../src/pipeline/stage-jobs.js';

const stage = { slice: 'c0-20260310', stage: 'fetch' } as const;
const recordOf = (kind: PipelineKind, nominal: number | null = 0) =>
  ({ id: `${kind}-1`, kind, nominal }) as PipelineRun;
const unused = {} as Queue;

describe('the job of a stage', () => {
  let added: { name: string; data: unknown; opts: { priority?: number } }[];
  let jobs: StageJobs;
  beforeEach(() => {
    added = [];
    const queue = {
      add: async (name: string, data: unknown, opts: object) => added.push({ name, data, opts }),
    } as unknown as Queue;
    jobs = new StageJobs({ ingestion: queue, enrichment: unused, aggregation: queue }, 5);
  });

  it('is enqueued with its id, payload, retries and retention', async () => {
    await jobs.add(recordOf('delta'), stage, 3, 30_000);
    expect(added).toEqual([
      {
        name: 'fetch',
        data: { version: 1, run: 'delta-1', slice: 'c0-20260310', stage: 'fetch' },
        opts: {
          jobId: 'delta-1.c0-20260310.fetch.3',
          attempts: 5,
          backoff: { type: 'exponential', delay: 1_000, jitter: 0.5 },
          delay: 30_000,
          priority: 0,
          removeOnComplete: { age: 86_400, count: 1_000 },
          removeOnFail: { age: 14 * 86_400 },
        },
      },
    ]);
  });

  it.each([
    ['a day', 'day-20260310', 1],
    ['a part of a day, which older versions do not know', 'day-20260310-2', 2],
    ['the platform on a day, which older versions do not know', 'day-20260310-platform', 2],
  ])('for %s names the version of its payload', async (_, slice, version) => {
    await jobs.add(recordOf('delta'), { slice, stage: 'rebuild' }, 1, 0);
    const data = { version, run: 'delta-1', slice, stage: 'rebuild' };
    expect(added.map((job) => job.data)).toEqual([data]);
    expect(parseStageJob({ id: '1', name: 'rebuild', data } as Job)).toEqual(data);
  });

  it.each([
    ['delta', 0, 0],
    ['bootstrap', null, 5],
    ['reevaluation', null, 5],
    ['backup', 0, 10],
    ['historical', 0, 15],
    ['backfill', null, 20],
    ['reevaluation', 0, 25],
  ] as [PipelineKind, number | null, number][])(
    'of a %s with the scheduled time %p has the priority %d',
    async (kind, nominal, priority) => {
      await jobs.add(recordOf(kind, nominal), stage, 1, 0);
      expect(added[0]?.opts.priority).toBe(priority);
    },
  );
});

describe('a job in the queue', () => {
  it.each([
    ['waiting', undefined, 'unfinished'],
    ['prioritized', undefined, 'unfinished'],
    ['delayed', undefined, 'unfinished'],
    ['active', undefined, 'unfinished'],
    ['waiting-children', undefined, 'unfinished'],
    ['paused', undefined, 'unfinished'],
    ['completed', undefined, 'ended'],
    ['failed', 'No response', 'ended'],
    ['failed', 'Job 1 has an unknown format: another version enqueued it', 'refused'],
    ['unknown', undefined, 'ended'],
    [undefined, undefined, 'ended'],
  ])('with the state %p and the error %p is %s', async (state, failedReason, expected) => {
    const requested: string[] = [];
    const aggregation = {
      getJob: async (id: string) => {
        requested.push(id);
        return state && { getState: async () => state, failedReason };
      },
    } as unknown as Queue;
    const jobs = new StageJobs({ ingestion: unused, enrichment: unused, aggregation }, 5);
    const publish = { slice: 'all', stage: 'publish' } as const;
    expect(await jobs.stateOf('delta-1', publish, 2)).toBe(expected);
    expect(requested).toEqual(['delta-1.all.publish.2']);
  });

  it.each([
    ['of another version', { name: 'fetch', data: { version: 3, run: 'delta-1', ...stage } }],
    ['whose name is another stage', { name: 'enrich', data: { version: 1, run: 'delta-1', ...stage } }],
    ['without a payload', { name: 'fetch', data: undefined }],
  ])('%s is not retried', (_, job) => {
    expect(() => parseStageJob({ id: '1', ...job } as Job)).toThrow(UnrecoverableError);
  });

  it('counts its attempts from 1', () => {
    const job = (attemptsMade: number, attempts?: number) => ({ attemptsMade, opts: { attempts } }) as Job;
    expect(attemptOf(job(0))).toBe(1);
    expect(isLastAttempt(job(0))).toBe(true);
    expect(isLastAttempt(job(0, 2))).toBe(false);
    expect(isLastAttempt(job(1, 2))).toBe(true);
  });
});
