import { readFile } from 'node:fs/promises';
import { incidentPath } from '../../src/domain/page-paths.js';
import { AlertChain } from '../../src/state/alerts/evaluations.js';
import { messageName, recordDelivery } from '../../src/state/alerts/outbox.js';
import { applicationPath } from '../../web/src/frame/routes.js';
import { evaluation } from '../integration/alerts/delivery-fixture.js';
import { horizontalOverflow } from '../support/browser.js';
import { incident } from '../unit/domain/alerts/incidents.js';
import { describePage, HOUR, MINUTE } from './page-fixture.js';

describePage('the alerts of the page', (fixture) => {
  const ago = (ms: number) => new Date(fixture.now - ms).toISOString();
  const alertOf = (application: string) =>
    incident({
      id: `alert-of-${application}`,
      subject: { scope: 'metric', application, metric: 'accuracy', item: null },
      evidence: { display_name: 'accuracy', value: 0.5, limit: 0.7 },
      since: ago(15 * MINUTE),
    });

  /** Two applications are critical: of `churn` somebody was notified, of `fraud` the delivery failed. */
  beforeEach(async () => {
    for (const application of ['churn', 'fraud']) {
      for (let hour = 6; hour > 0; hour--) {
        fixture.log(application, fixture.now - hour * HOUR, hour > 2 ? 0.9 : 0.5);
      }
    }
    await fixture.startService();
    await fixture.service.run('delta');
    const { store } = fixture.service.resources;
    await new AlertChain(store).seal(
      evaluation(1, [
        ['fired', alertOf('churn')],
        ['fired', alertOf('fraud')],
        ['fired', { ...alertOf('churn'), id: 'part-of-churn', rule: 'pass_rate', inhibited_by: 'churn' }],
      ]),
    );
    for (const [application, status, error] of [
      ['churn', 'delivered', null],
      ['fraud', 'failed', 'HTTP 404: no_service'],
    ] as const) {
      const at = ago(12 * MINUTE);
      const channel = { channel: `#ml-${application}`, type: 'slack', attempts: 1, at };
      await recordDelivery(store, messageName(1, application, 'alert'), {
        version: 1,
        id: `msg-${application}`,
        route: application,
        kind: 'alert',
        status,
        sealed_at: at,
        finished_at: at,
        incidents: [alertOf(application).id],
        channels: [{ ...channel, outcome: status, error }],
      });
    }
  });

  it.each([
    ['light', 1240],
    ['dark', 1240],
    ['light', 390],
  ] as const)('say who was notified and where the delivery failed: %s, %i px wide', async (scheme, width) => {
    const check = async (name: string) => {
      await fixture.expectAccessible(`alerts-${name}-${scheme}-${width}`);
      expect(await horizontalOverflow(fixture.page)).toBe(0);
    };
    await fixture.openPage(undefined, width, scheme);
    const link = (name: string | RegExp) => fixture.page.getByRole('link', { name });
    await link(/^notified #ml-churn 12\smin ago$/).waitFor();
    await link('Alerts 2 firing').waitFor();
    await check('platform');
    await link('not notified: delivery to #ml-fraud failed').click();
    await fixture.page.getByRole('heading', { name: 'CRITICAL fraud · accuracy 0.5 < 0.7' }).waitFor();
    await fixture.page.getByText('The delivery failed: HTTP 404: no_service').waitFor();
    await link('Sign in to mute or acknowledge').waitFor();
    await check('incident');
    await link('Application').click();
    await fixture.page.getByRole('heading', { name: 'Alerts', exact: true }).waitFor();
    expect(await fixture.page.textContent('.told')).toBe('firingnot notified: delivery to #ml-fraud failed');
    await check('application');
    await link('Alerts 2 firing').click();
    await fixture.page.getByRole('heading', { name: 'CRITICAL churn · ' }).waitFor();
    const rows = fixture.page.locator('.alerts > li').filter({ visible: true });
    expect(await rows.count()).toBe(2);
    await fixture.page.getByText('1 more alert with the same cause').click();
    await fixture.page.getByText('part of another alert (rule pass_rate of the metric)').waitFor();
    expect(await rows.count()).toBe(3);
    await check('list');
    expect(fixture.errors).toEqual([]);
  });

  it('are muted and acknowledged after a login, and shown as such', async () => {
    const path = `/${incidentPath(alertOf('fraud').id)}`;
    await fixture.openPage(undefined, 1240, 'dark', 'Europe/Berlin', path);
    const { page } = fixture;
    await page.getByRole('link', { name: 'Sign in to mute or acknowledge' }).click();
    const token = await readFile(`${fixture.service.folder}/store/admin-token`, 'utf8');
    await page.getByLabel('Admin token').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`**${path}`);
    await page.getByLabel('All alerts on fraud', { exact: true }).check();
    await page.locator('.mute select').selectOption('Until a date');
    await page.getByLabel(/^Date and time, /).fill('2020-01-01T08:00');
    await page.getByLabel('Reason').fill('retraining');
    await page.getByRole('button', { name: 'Mute', exact: true }).click();
    await page.getByText('A mute ends in the future').waitFor();
    await fixture.expectAccessible('alerts-mute-form');
    // The service has refused the date, which the browser logs.
    expect(fixture.errors).toEqual([expect.stringContaining('400')]);

    await page.locator('.mute select').selectOption('4 hours');
    await page.getByRole('button', { name: 'Mute', exact: true }).click();
    await page.getByText(/^muted until .* by local$/).waitFor();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await page.getByText(/^acknowledged by local .* ago$/).waitFor();
    await fixture.expectAccessible('alerts-muted');
    await page.goto(`${fixture.service.url}/${applicationPath('fraud')}`);
    await page.getByText(/^muted until .* by local$/).waitFor();
    await page.goto(`${fixture.service.url}/`);
    await page.getByRole('link', { name: /^muted until .* by local acknowledged by local / }).click();
    await page.getByRole('button', { name: 'Unmute: All alerts on fraud' }).click();
    await page.getByText(/^muted until /).waitFor({ state: 'detached' });
    await page.getByText(/^acknowledged by local .* ago$/).waitFor();
    expect(fixture.errors).toHaveLength(1);
  });
});
