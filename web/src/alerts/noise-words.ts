import { NOISE_DAYS, type RuleNoise } from '../../../src/domain/alerts/noise.js';

/** How often a rule fires, for whoever decides whether its limit is right. */
export function noiseWords({
  fired,
  acknowledged,
  muted,
}: Pick<RuleNoise, 'fired' | 'acknowledged' | 'muted'>): string {
  const times = (count: number) => (count === 1 ? 'once' : `${count} times`);
  const answers = [
    ...(acknowledged > 0 ? [`acknowledged ${times(acknowledged)}`] : []),
    ...(muted > 0 ? [`muted ${times(muted)}`] : []),
  ];
  const followed = answers.length > 0 ? `, was ${answers.join(' and ')}` : '';
  return `In the last ${NOISE_DAYS} days this rule fired ${times(fired)}${followed}.`;
}
