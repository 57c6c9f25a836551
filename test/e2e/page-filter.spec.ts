import type { ApplicationNow, PlatformCurrent } from '../../src/dashboard/contract.js';
import { horizontalOverflow } from '../support/browser.js';
import { describePage, HOUR } from './page-fixture.js';

const APPLICATIONS = 1_000;

/** The state of a platform with many applications like the one of this state: every 50th critical, all others healthy. */
function manyApplications(current: PlatformCurrent): PlatformCurrent {
  const [one] = current.applications;
  if (!one) throw new Error('no application');
  const applications = Array.from({ length: APPLICATIONS }, (_, i): ApplicationNow => {
    const light = i % 50 === 0 ? 'critical' : 'healthy';
    return { ...one, application: `app-${i}`, owner: `team ${i % 7}`, light };
  });
  return { ...current, applications };
}

describePage('the filter of the page', (fixture) => {
  it('stays usable with 1,000 applications, and keeps the choice in the address', async () => {
    fixture.log('churn', fixture.now - HOUR, 0.9);
    await fixture.startService();
    await fixture.service.run('delta');
    await fixture.openPage(async (page) => {
      await page.route('**/api/v1/platform/current', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, json: manyApplications((await response.json()) as PlatformCurrent) });
      });
    });
    const { page } = fixture;
    const query = () => new URL(page.url()).search;
    const fold = page.getByRole('button', { name: 'Show the other 970: 970 healthy' });
    await fold.waitFor();
    // The worst first.
    expect(await page.locator('.applications .status.critical').count()).toBe(20);
    await fold.click();
    expect(query()).toBe('?all=1');
    const rows = page.locator('.virtual > li');
    await rows.first().waitFor();
    expect(await rows.count()).toBeLessThan(60);
    await page.keyboard.press('End');
    await page.getByText('app-999', { exact: true }).waitFor();
    expect(await rows.last().getAttribute('aria-posinset')).toBe('970');

    await page.keyboard.press('/');
    await page.keyboard.type('APP-95');
    await page.getByText('11 of 1,000 applications').waitFor();
    expect(query()).toBe('?all=1&q=APP-95');
    await page.getByRole('button', { name: 'Critical 20' }).click();
    await page.getByText('1 of 1,000 applications').waitFor();
    expect(await page.locator('.applications h3').allTextContents()).toEqual(['app-950']);
    await fixture.expectAccessible('filter');
    expect(await horizontalOverflow(page)).toBe(0);
    // The same address shows the same.
    await page.reload();
    await page.getByText('1 of 1,000 applications').waitFor();
    await page.getByRole('combobox', { name: 'Owner' }).selectOption('team 3');
    await page.getByText('None of the 1,000 applications matches.').waitFor();
    await page.goBack();
    await page.getByText('1 of 1,000 applications').waitFor();
    expect(query()).toBe('?all=1&q=APP-95&status=critical');
    expect(fixture.errors).toEqual([]);
  });

  it('shows times in the zone of the reader or in UTC, and a way back from an unknown address', async () => {
    fixture.log('churn', fixture.now - HOUR, 0.9);
    await fixture.startService();
    await fixture.service.run('delta');
    await fixture.openPage(undefined, 1240, 'light', 'Asia/Kolkata');
    const { page } = fixture;
    await page.getByRole('button', { name: 'GMT+5:30' }).waitFor();
    expect(await page.textContent('footer')).toMatch(/:30\sGMT\+5:30/);
    await page.getByRole('button', { name: 'UTC' }).click();
    for (const path of ['/alerts/a/b?x=%zz', '/app/a/b?x=%zz']) {
      await page.goto(`${fixture.service.url}${path}`);
      await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    }
    await fixture.expectAccessible('unknown');
    await page.getByRole('link', { name: 'See all applications' }).click();
    await page.getByRole('heading', { name: 'No application needs attention' }).waitFor();
    expect(await page.textContent('footer')).toMatch(/:00\sUTC/);
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    expect(fixture.errors).toEqual([]);
  });
});
