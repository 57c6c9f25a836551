import {
  addOpenMlflowRuns,
  readOpenMlflowRuns,
  removeOpenMlflowRuns,
} from '../../../src/state/open-mlflow-runs.js';
import { MemoryStore } from '../../support/memory-store.js';

const run = (run_id: string, day: string | null = '2026-03-10') => ({ run_id, experiment_id: '1', day });
const ids = async (store: MemoryStore): Promise<string[]> =>
  (await readOpenMlflowRuns(store)).map(({ run_id }) => run_id).sort();

describe('open MLflow runs', () => {
  it('are stored with experiment and day', async () => {
    const store = new MemoryStore();
    expect(await readOpenMlflowRuns(store)).toEqual([]);
    await addOpenMlflowRuns(store, [run('a'), run('b', null)]);
    expect(await readOpenMlflowRuns(store)).toMatchObject([run('a'), run('b', null)]);
  });

  it('are removed once they have ended, if they were fetched', async () => {
    const store = new MemoryStore();
    await addOpenMlflowRuns(store, [run('a'), run('b'), run('c')]);
    const fetched = await readOpenMlflowRuns(store);
    await removeOpenMlflowRuns(store, fetched, new Set(['a', 'never fetched']));
    expect(await ids(store)).toEqual(['b', 'c']);
  });

  it('stay if they were added again after the fetch', async () => {
    const store = new MemoryStore();
    await addOpenMlflowRuns(store, [run('a'), run('b')]);
    const fetched = await readOpenMlflowRuns(store);
    await addOpenMlflowRuns(store, [run('a')]);
    await removeOpenMlflowRuns(store, fetched, new Set(['a', 'b']));
    expect(await ids(store)).toEqual(['a']);
    await removeOpenMlflowRuns(store, await readOpenMlflowRuns(store), new Set(['a']));
    expect(await ids(store)).toEqual([]);
  });

  it('are removed once: a repeated removal writes nothing', async () => {
    const store = new MemoryStore();
    await addOpenMlflowRuns(store, [run('a')]);
    const fetched = await readOpenMlflowRuns(store);
    await removeOpenMlflowRuns(store, fetched, new Set(['a']));
    store.puts = 0;
    await removeOpenMlflowRuns(store, fetched, new Set(['a']));
    await removeOpenMlflowRuns(store, fetched, new Set());
    expect(store.puts).toBe(0);
  });

  it('stay if another process adds them during the removal', async () => {
    const store = new MemoryStore();
    await addOpenMlflowRuns(store, [run('a')]);
    const fetched = await readOpenMlflowRuns(store);
    const other = new MemoryStore();
    await addOpenMlflowRuns(other, [run('a')]);
    store.beforePut = (key) => {
      store.beforePut = () => undefined;
      store.objects.set(key, other.objects.get(key) ?? Buffer.of());
    };
    await removeOpenMlflowRuns(store, fetched, new Set(['a']));
    expect(await ids(store)).toEqual(['a']);
  });
});
