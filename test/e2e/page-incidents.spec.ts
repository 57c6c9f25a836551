import { RulebookSync } from '../../src/enrichment/rulebook-sync.js';
import { horizontalOverflow } from '../support/browser.js';
import { ACCURACY_CATALOG } from '../support/open-service.js';
import { describePage, HOUR, MINUTE } from './page-fixture.js';

describePage('the incidents of the page', (fixture) => {
  it('shows the cause of each: a new value, a new threshold, late data', async () => {
    for (let hour = 30; hour > 0; hour--) {
      fixture.log('fallen', fixture.now - hour * HOUR, hour > 3 ? 0.9 : 0.6);
      fixture.log('strict', fixture.now - hour * HOUR, 0.85);
      fixture.log('tardy', fixture.now - hour * HOUR, 0.9);
    }
    await fixture.startService({ CATALOG_CACHE_TTL_SECONDS: '0' });
    await fixture.service.run('bootstrap');
    fixture.advance(10 * MINUTE);
    await fixture.service.run('delta');
    for (const minute of [50, 40, 30]) fixture.log('tardy', fixture.now - minute * MINUTE, 0.65);
    fixture.advance(10 * MINUTE);
    await fixture.service.run('delta');
    fixture.advance(MINUTE);
    const experiment_id = fixture.experiments.get('strict');
    const limits = { critical_threshold: 0.88, warning_threshold: 0.9 };
    const strict = { metric_name: 'accuracy', experiment_id, ...limits, updated_by: 'ops' };
    await fixture.service.writeCatalog({
      ...ACCURACY_CATALOG,
      thresholds: [...ACCURACY_CATALOG.thresholds, strict],
    });
    const reevaluated = new Promise<void>((resolve) => {
      fixture.service.engine.events.on('finished', ({ kind }) => kind === 'reevaluation' && resolve());
    });
    await fixture.service.app.get(RulebookSync).refresh();
    await reevaluated;
    for (const [name, scheme, width] of [
      ['cause-light', 'light', 1240],
      ['cause-dark', 'dark', 1240],
      ['cause-phone', 'light', 390],
    ] as const) {
      await fixture.openPage(undefined, width, scheme);
      await fixture.page.getByRole('heading', { name: ' of 3 applications ' }).waitFor();
      expect(await fixture.page.locator('.attention > li').count()).toBe(3);
      const reasons = await fixture.page.locator('.what p:not(.evidence)').allTextContents();
      expect(reasons).toEqual([
        'New threshold: The limit was tightened from 0.7 to 0.88 by ops.',
        expect.stringMatching(
          /^Late data: The first unhealthy run ended on .* UTC but was first seen 59\smin later\. The metric fell from 0\.9 to 0\.65\.$/,
        ),
        'New value: The metric fell from 0.9 to 0.6.',
      ]);
      expect(await horizontalOverflow(fixture.page)).toBe(0);
      await fixture.expectAccessible(name);
      expect(fixture.errors).toEqual([]);
    }
    await fixture.page.getByRole('link', { name: 'Late data' }).click();
    expect(JSON.parse((await fixture.page.textContent('pre')) ?? '')).toMatchObject({ cause: 'late_data' });
  });

  it('shows names with any characters, and fits on a phone', async () => {
    const hostile = `<img src=x onerror="document.title='hacked'"> & "quoted"`;
    const long = 'a'.repeat(200);
    for (const name of [hostile, long, '模型 🚀']) {
      for (let hour = 20; hour > 0; hour--)
        fixture.log(name, fixture.now - hour * HOUR, hour < 5 ? 0.1 : 0.9);
    }
    await fixture.startService();
    await fixture.service.run('delta');
    await fixture.openPage(undefined, 390);
    await fixture.page.getByRole('heading', { name: ' of 3 applications ' }).waitFor();
    expect(await fixture.page.locator('.attention h3').allTextContents()).toEqual(
      expect.arrayContaining([expect.stringContaining(hostile), expect.stringContaining(long)]),
    );
    expect(await fixture.page.locator('img').count()).toBe(0);
    expect(await fixture.page.title()).toContain('mlflow-monitor');
    expect(await horizontalOverflow(fixture.page)).toBe(0);
    await fixture.expectAccessible('names');
    expect(fixture.errors).toEqual([]);
  });
});
