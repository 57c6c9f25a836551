import { describePage, HOUR } from './page-fixture.js';

describePage('the connection of the page', (fixture) => {
  it('polls every 30 s if there are no live events', async () => {
    fixture.log('churn', fixture.now - HOUR, 0.9);
    await fixture.startService();
    await fixture.service.run('delta');
    await fixture.openPage(async (opened) => {
      await opened.clock.install();
      await opened.route('**/api/v1/events', (route) => route.fulfill({ status: 404 }));
    });
    await fixture.page.getByText('polling every 30 s').waitFor();
    fixture.log('fraud', fixture.now - HOUR, 0.1);
    fixture.advance(60_000);
    await fixture.service.run('delta');
    await fixture.page.clock.fastForward(31_000);
    await fixture.page.getByRole('heading', { name: '1 of 2 applications is critical' }).waitFor();
  });

  it('keeps the data and shows that the service is unavailable', async () => {
    fixture.log('churn', fixture.now - HOUR, 0.9);
    await fixture.startService();
    await fixture.service.run('delta');
    await fixture.openPage((opened) => opened.clock.install());
    await fixture.page.getByRole('heading', { name: 'No application needs attention' }).waitFor();
    await fixture.service.close();
    await fixture.page.getByText('polling every 30 s').waitFor();
    await fixture.page.clock.fastForward(31_000);
    await fixture.page.getByText('The service is unavailable.').waitFor();
    expect(await fixture.page.textContent('.facts')).toContain('100.0 %');
    await fixture.expectAccessible('away');
  });

  it('shows that the service is unavailable, and the data once it responds', async () => {
    fixture.log('churn', fixture.now - HOUR, 0.9);
    await fixture.startService();
    await fixture.service.run('delta');
    let broken = true;
    await fixture.openPage(async (opened) => {
      await opened.clock.install();
      await opened.route('**/api/v1/**', (route) =>
        broken ? route.fulfill({ status: 500 }) : route.continue(),
      );
    });
    await fixture.page.getByRole('heading', { name: 'The service is unavailable' }).waitFor();
    expect(await fixture.page.textContent('main')).toContain('500');
    await fixture.expectAccessible('error');
    broken = false;
    await fixture.page.clock.fastForward(31_000);
    await fixture.page.getByRole('heading', { name: 'No application needs attention' }).waitFor();
  });
});
