import { PlatformView } from '../../src/dashboard/platform-view.js';
import { formatDate } from '../../src/domain/format.js';
import { RulebookSync } from '../../src/enrichment/rulebook-sync.js';
import { horizontalOverflow } from '../support/browser.js';
import { ACCURACY_CATALOG } from '../support/open-service.js';
import { DAY, describePage, HOUR, MINUTE } from './page-fixture.js';

describePage('the page', (fixture) => {
  it('shows that there is no data yet, and the first runs once they are read', async () => {
    await fixture.startService();
    await fixture.openPage();
    await fixture.page.getByRole('heading', { name: 'There is nothing to show yet' }).waitFor();
    expect(await fixture.page.textContent('main')).toContain('MLflow has not been read yet');
    await fixture.expectAccessible('empty');
    fixture.log('churn', fixture.now - HOUR, 0.9);
    await fixture.service.run('delta');
    await fixture.page.getByRole('heading', { name: 'No application needs attention' }).waitFor();
    expect(await fixture.page.textContent('.facts')).toContain('100.0 %');
    expect(fixture.errors).toEqual([]);
  });

  it('shows the progress of the bootstrap', async () => {
    for (let day = 0; day < 6; day++) fixture.log('churn', fixture.now - day * DAY - 60_000, 0.9);
    await fixture.startService({ LOOKBACK_DAYS_HISTORICAL: '9', STAGE_TRIES: '100' });
    const midnight = Math.floor(fixture.now / DAY) * DAY;
    let unavailable = true;
    fixture.mlflow.intercept = ({ path, body }) =>
      unavailable &&
      path === 'runs/search' &&
      String(body.filter).includes(`start_time >= ${midnight - 9 * DAY}`)
        ? { status: 503, body: 'busy' }
        : undefined;
    await fixture.openPage();
    const finished = fixture.service.run('bootstrap');
    // The oldest day cannot be read, so all days that depend on it have to wait.
    await fixture.page.getByText('2 of 10 days done').waitFor();
    expect(await fixture.page.getByRole('progressbar').getAttribute('value')).toBe('2');
    expect(await fixture.page.getByText('out of date').count()).toBe(0);
    await fixture.page.getByRole('heading', { name: 'No application needs attention' }).waitFor();
    await fixture.expectAccessible('bootstrap');
    unavailable = false;
    await finished;
    await fixture.page.getByRole('progressbar').waitFor({ state: 'detached' });
    expect(fixture.errors).toEqual([]);
  });

  it('shows what is stale or lagging, and why', async () => {
    fixture.log('good', fixture.now - HOUR, 0.9);
    fixture.log('bad', fixture.now - HOUR, 0.9);
    await fixture.startService();
    await fixture.service.run('delta');
    fixture.advance(60_000);
    const bad = fixture.experiments.get('bad') ?? '';
    fixture.mlflow.intercept = ({ path, body }) =>
      path === 'runs/search' && (body.experiment_ids as string[]).includes(bad)
        ? { status: 403, body: JSON.stringify({ error_code: 'PERMISSION_DENIED', message: 'not yours' }) }
        : undefined;
    await fixture.service.run('delta');
    fixture.mlflow.intercept = () => ({ status: 503, body: 'busy' });
    fixture.advance(30 * 60_000);
    await fixture.service.run('delta');
    await fixture.openPage();
    const notes = fixture.page.locator('.notes');
    await notes.waitFor();
    const text = await notes.textContent();
    expect(text).toContain('This data is out of date.');
    expect(text).toMatch(/The last attempt, .* failed: .*503/);
    expect(text).toContain('One experiment lags behind: bad');
    expect(await fixture.page.locator('.freshness.late').count()).toBe(1);
    await fixture.expectAccessible('stale');
    expect(fixture.errors).toEqual([]);
  });

  it('shows the time of the thresholds during a catalog outage, and rejected rows', async () => {
    fixture.log('churn', fixture.now - HOUR, 0.9);
    const item = { metric_name: 'f1', critical_threshold: 'high' };
    await fixture.startService(
      { CATALOG_CACHE_TTL_SECONDS: '0' },
      { ...ACCURACY_CATALOG, thresholds: [...ACCURACY_CATALOG.thresholds, item, item, item] },
    );
    await fixture.service.run('delta');
    const fetchedAt = fixture.now;
    await fixture.service.writeCatalog('no catalog');
    fixture.advance(MINUTE);
    await fixture.service.app.get(RulebookSync).refresh();
    // The view is cached for 5 s: its refresh after the delta may have preceded the outage.
    fixture.service.app.get(PlatformView).invalidate();
    for (const [name, scheme, width] of [
      ['outage-light', 'light', 1240],
      ['outage-dark', 'dark', 1240],
      ['outage-phone', 'dark', 390],
    ] as const) {
      await fixture.openPage(undefined, width, scheme);
      const notes = fixture.page.locator('.notes');
      await notes.waitFor();
      const text = (await notes.textContent())?.replaceAll('\u00a0', ' ');
      expect(text).toContain(
        `Thresholds as of ${formatDate(fetchedAt)}: the catalog cannot be read. These thresholds stay in use.`,
      );
      expect(text).toContain('3 catalog items were rejected');
      expect(await horizontalOverflow(fixture.page)).toBe(0);
      await fixture.expectAccessible(name);
      expect(fixture.errors).toEqual([]);
    }
  });

  it('suggests thresholds if there are none', async () => {
    fixture.log('churn', fixture.now - HOUR, 0.9);
    await fixture.startService({}, { metrics: [], thresholds: [] });
    await fixture.service.run('delta');
    await fixture.openPage();
    await fixture.page.getByRole('heading', { name: 'The application has no thresholds' }).waitFor();
    expect(await fixture.page.textContent('.notes')).toContain('mlflow-monitor suggest');
    await fixture.expectAccessible('unmonitored');
    expect(fixture.errors).toEqual([]);
  });

  it('shows failing checks of data quality, and nothing of those that pass', async () => {
    fixture.log('fraud', fixture.now - HOUR, Number.NaN);
    for (let i = 2; i < 6; i++) fixture.log('churn', fixture.now - i * HOUR, 0.9);
    await fixture.startService();
    await fixture.service.run('delta');
    for (const [name, scheme, width] of [
      ['quality-light', 'light', 1240],
      ['quality-phone', 'dark', 390],
    ] as const) {
      await fixture.openPage(undefined, width, scheme);
      const section = fixture.page.locator('section', { has: fixture.page.locator('#data-quality') });
      await section.waitFor();
      expect(await section.locator('h3').allTextContents()).toEqual(['Metrics without a value']);
      const text = (await section.textContent())?.replaceAll('\u00a0', ' ');
      expect(text).toContain('20 %limit: at most 5 %');
      expect(text).toContain('Next step: Find out why the runs in the sample log NaN');
      expect(await section.locator('.status').textContent()).toBe('Error');
      expect(await section.locator('.evidence a').allTextContents()).toEqual(['fraud']);
      expect(await horizontalOverflow(fixture.page)).toBe(0);
      await fixture.expectAccessible(name);
      expect(fixture.errors).toEqual([]);
    }
    await fixture.openPage(undefined, 1240, 'light', 'UTC', '/app/fraud');
    const own = fixture.page.locator('.findings .value');
    await own.waitFor();
    expect((await own.textContent())?.replaceAll('\u00a0', ' ')).toContain('100 %');
    await fixture.expectAccessible('quality-application');
    await fixture.openPage(undefined, 1240, 'light', 'UTC', '/app/churn');
    await fixture.page.getByRole('heading', { name: 'Runs of the last 30 days' }).waitFor();
    expect(await fixture.page.locator('.findings').count()).toBe(0);
    expect(fixture.errors).toEqual([]);
  });
});
