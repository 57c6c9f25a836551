import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { withSamples } from '../../../scripts/alerts-docs.js';
import { CHANNEL_TYPES } from '../../../src/alerts/channels/channel-table.js';
import { channelSchema } from '../../../src/alerts/channels/open-channels.js';
import { routesSchema } from '../../../src/alerts/channels/routes.js';

test('docs/alerts.md shows messages as they are sent: `npm run alerts` updates it', () => {
  const page = readFileSync('docs/alerts.md', 'utf8');
  // The formatter may break lines of JSON.
  const compact = (text: string) => text.replace(/\s+/g, '');
  expect(compact(page)).toBe(compact(withSamples(page)));
});

test('The channels in docs/alert-channels.md are as `alerts.yaml` takes them, and each type is described', () => {
  const page = readFileSync('docs/alert-channels.md', 'utf8');
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => parse(text ?? ''));
  const routes = blocks.flatMap((block) => block.routes ?? []);
  const channels = blocks.flatMap((block) => (Array.isArray(block) ? block : 'type' in block ? [block] : []));
  expect(routes.length).toBeGreaterThan(3);
  expect(channels.length).toBeGreaterThan(2);
  expect(routesSchema.safeParse(routes).error).toBeUndefined();
  for (const channel of channels) expect(channelSchema.safeParse(channel).error).toBeUndefined();
  for (const type of CHANNEL_TYPES) expect(page).toContain(`| \`${type}\` `);
});
