import { addressDigest, channelSchema } from '../../../src/alerts/channels/open-channels.js';

const slack = channelSchema.parse({ type: 'slack', label: '#ml', url_env: 'SLACK' });
const SLACK = 'https://hooks.slack.com/services/T0/B0/secret';
const digest = addressDigest(slack, { SLACK });

test('The digest of an address changes with the address only', () => {
  expect(addressDigest({ ...slack, label: '#other' }, { SLACK })).toBe(digest);
  expect(addressDigest(slack, { SLACK: `${SLACK}2` })).not.toBe(digest);
  const mail = (to: string) => addressDigest(channelSchema.parse({ type: 'email', to: [to] }), {});
  expect(mail('a@example.com')).not.toBe(mail('b@example.com'));
  const pagerduty = channelSchema.parse({ type: 'pagerduty' });
  const key = (ALERT_PAGERDUTY_ROUTING_KEY: string) =>
    addressDigest(pagerduty, { ALERT_PAGERDUTY_ROUTING_KEY });
  expect(key('a')).not.toBe(key('b'));
});

test('It does not contain the address', () => {
  expect(digest).toMatch(/^[0-9a-f]{16}$/);
});
