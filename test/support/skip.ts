/**
 * Skips tests that need a program that is not installed, as one skipped test, because a file without any test fails.
 * `skip-report.cjs` lists it above the summary. With `REQUIRE_ALL=1` the test fails instead.
 * @param tests what is skipped
 * @param requirement the program, and how to install it
 */
export function skipSuite(tests: string, requirement: string): void {
  const title = `${tests}: skipped, requires ${requirement}`;
  if (process.env.REQUIRE_ALL !== '1') {
    it.skip(title, () => undefined);
    return;
  }
  it(title, () => {
    throw new Error(`REQUIRE_ALL=1, but this is not installed: ${requirement}`);
  });
}
