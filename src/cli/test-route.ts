import {
  channelEnvironment,
  channelProblems,
  messageContext,
  openChannel,
} from '../alerts/channels/open-channels.js';
import { type DeliverySettings, deliveryPolicy, routeSettings } from '../alerts/channels/routes.js';
import type { Environment, Settings } from '../config/settings.js';
import { NO_MEMORY } from '../state/alerts/channel-memory.js';

/** 0: every channel delivered · 1: a channel did not · 2: there is no such route. */
type ExitCode = 0 | 1 | 2;

/**
 * Sends a message that says it is a test to every channel of a route, and prints what became of it.
 * @param file what `alerts.yaml` says about delivery
 * @param now ms
 */
export async function testRoute(
  settings: Settings,
  env: Environment,
  file: DeliverySettings,
  name: string,
  now: number,
): Promise<ExitCode> {
  const routes = routeSettings(file, settings);
  const route = routes.find((each) => each.name === name);
  if (!route) {
    const names = routes.map((each) => each.name).join(', ');
    const known = names
      ? `Routes: ${names}`
      : 'No route is set up: set ALERT_SLACK_WEBHOOK_URL, or routes in alerts.yaml';
    console.error(`There is no route ${JSON.stringify(name)}. ${known}`);
    return 2;
  }
  const environment = channelEnvironment(settings, env);
  const context = messageContext(settings, deliveryPolicy(file, settings).digest.time_zone);
  const message = { route: name, kind: 'test', at: new Date(now).toISOString(), lines: [] } as const;
  let failed = 0;
  for (const [n, each] of route.channels.entries()) {
    const channel = openChannel(each, environment, settings);
    const result = await channel?.send({
      id: `test_${now}_${n + 1}`,
      message,
      context,
      memory: NO_MEMORY,
      now,
    });
    const error = result
      ? 'error' in result && result.error
      : channelProblems(each, environment, settings).join(', ');
    const isDelivered = result?.outcome === 'delivered';
    if (!isDelivered) failed++;
    const what = `${each.type} ${channel?.label ?? ''}`.trim();
    console.log(`${isDelivered ? 'delivered' : 'FAILED   '}  ${what}${error ? `: ${error}` : ''}`);
  }
  return failed === 0 ? 0 : 1;
}
