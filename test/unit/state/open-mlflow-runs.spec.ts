import {
  addOpenMlflowRuns,
  readOpenMlflowRuns,
  removeOpenMlflowRuns,
} from '../../../src/state/open-mlflow-runs.js';
import { MemoryStore } from '../../support/memory-store.js';

const run = (run_id: string, day: string | null = '2026-03-10') => ({ run_id, experiment_id: '1', day });
const ids = async (store: MemoryStore): Promise<string[]> =>
  (await readOpenMlflowRuns(store)).map(({ run_id }) => run_id).sort();

describe('an open run', () => {
  it('is entered with what is known of it', async () => {
    const store = new MemoryStore();
    expect(await readOpenMlflowRuns(store)).toEqual([]);
    await addOpenMlflowRuns(store, [run('a'), run('b', null)]);
    expect(await readOpenMlflowRuns(store)).toMatchObject([run('a'), run('b', null)]);
  });

  it('leaves when who asked for it read that it has ended, and only it', async () => {
    const store = new MemoryStore();
    await addOpenMlflowRuns(store, [run('a'), run('b'), run('c')]);
    const asked = await readOpenMlflowRuns(store);
    await removeOpenMlflowRuns(store, asked, new Set(['a', 'never asked']));
    expect(await ids(store)).toEqual(['b', 'c']);
  });

  it('stays when it was entered again since it was asked for', async () => {
    const store = new MemoryStore();
    await addOpenMlflowRuns(store, [run('a'), run('b')]);
    const asked = await readOpenMlflowRuns(store);
    await addOpenMlflowRuns(store, [run('a')]);
    await removeOpenMlflowRuns(store, asked, new Set(['a', 'b']));
    expect(await ids(store)).toEqual(['a']);
    await removeOpenMlflowRuns(store, await readOpenMlflowRuns(store), new Set(['a']));
    expect(await ids(store)).toEqual([]);
  });

  it('leaves once, however often it is settled', async () => {
    const store = new MemoryStore();
    await addOpenMlflowRuns(store, [run('a')]);
    const asked = await readOpenMlflowRuns(store);
    await removeOpenMlflowRuns(store, asked, new Set(['a']));
    store.puts = 0;
    await removeOpenMlflowRuns(store, asked, new Set(['a']));
    await removeOpenMlflowRuns(store, asked, new Set());
    expect(store.puts).toBe(0);
  });

  it('stays when another process enters it while it is taken out', async () => {
    const store = new MemoryStore();
    await addOpenMlflowRuns(store, [run('a')]);
    const asked = await readOpenMlflowRuns(store);
    const other = new MemoryStore();
    await addOpenMlflowRuns(other, [run('a')]);
    store.beforePut = (key) => {
      store.beforePut = () => undefined;
      store.objects.set(key, other.objects.get(key) ?? Buffer.of());
    };
    await removeOpenMlflowRuns(store, asked, new Set(['a']));
    expect(await ids(store)).toEqual(['a']);
  });
});
