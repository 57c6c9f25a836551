import { Duck } from '../../../src/storage/duck.js';
import { defaultDuckMemory } from '../../../src/storage/duck-memory.js';

const GIB = 1024 ** 3;

describe('memory of DuckDB without a setting', () => {
  it.each([
    ['no container', 0, 16 * GIB, '1GB'],
    ['a cgroup without a limit', 2 ** 64, 16 * GIB, '1GB'],
    ['a limit above the memory of the machine', 32 * GIB, 16 * GIB, '1GB'],
    ['the limit of the chart', 2 * GIB, 16 * GIB, '1024MiB'],
    ['a large container', 8 * GIB, 16 * GIB, '7168MiB'],
    ['a container that is too small', GIB, 16 * GIB, '512MiB'],
  ])('%s', (_, limit, total, expected) => {
    expect(defaultDuckMemory(limit, total)).toBe(expected);
  });

  it('DuckDB understands it, and a setting takes precedence', async () => {
    const limitOf = async (memory?: string) => {
      const duck = await Duck.open(process.cwd(), { memory, temp: '/tmp' });
      try {
        const setting = "SELECT current_setting('memory_limit') AS value";
        return await duck.session((session) => session.rows<{ value: string }>(setting));
      } finally {
        duck.close();
      }
    };
    expect(await limitOf(defaultDuckMemory(2 * GIB, 16 * GIB))).toEqual([{ value: '1.0 GiB' }]);
    expect(await limitOf('600MB')).toEqual([{ value: '572.2 MiB' }]);
    expect(await limitOf()).toEqual(await limitOf(defaultDuckMemory()));
  });
});
