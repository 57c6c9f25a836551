/**
 * Says what is not tested here for want of a program, as a skipped test, so that a file of nothing else does not fail.
 * With `REQUIRE_ALL=1` it fails.
 * @param program what it takes, and where it comes from
 */
export function reportLeftOut(what: string, program: string): void {
  if (process.env.REQUIRE_ALL === '1') {
    it(`${what}: needs ${program}`, () => {
      throw new Error(`It needs ${program}`);
    });
    return;
  }
  process.stderr.write(`Left out: ${what} (it takes ${program})\n`);
  it.skip(`${what}: left out for want of ${program}`, () => undefined);
}
