import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duck, type DuckSession } from '../../../src/storage/duck.js';

const DOUBLE_OF = 'CREATE MACRO double_of(x) AS 2 * x';

describe('a macro of DuckDB', () => {
  let folder: string;
  let duck: Duck;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'duck-macros-'));
    duck = await Duck.open(folder);
  });
  afterEach(async () => {
    duck.close();
    await rm(folder, { recursive: true });
  });

  const used = (session: DuckSession) => session.rows('SELECT double_of(21) AS result');

  it('is made once, and all sessions can use it', async () => {
    // Making it twice would fail.
    await duck.session((one) =>
      duck.session((other) => Promise.all([one.define(DOUBLE_OF), other.define(DOUBLE_OF)])),
    );
    await duck.session((session) => session.define(DOUBLE_OF));
    expect(await duck.session(used)).toEqual([{ result: 42 }]);
  });

  it('can be made later if the first attempt fails', async () => {
    await duck.session(async (session) => {
      await session.run(DOUBLE_OF);
      await expect(session.define(DOUBLE_OF)).rejects.toThrow('already exists');
      await session.run('DROP MACRO double_of');
      await session.define(DOUBLE_OF);
      expect(await used(session)).toEqual([{ result: 42 }]);
    });
  });
});
