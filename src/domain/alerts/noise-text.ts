import { formatDuration } from '../format.js';
import { NOISE_DAYS, type NoiseNote } from './noise.js';

/** The noise of rules as printable lines, with a heading; empty without noise. */
export function noiseLines(notes: readonly NoiseNote[]): string[] {
  if (notes.length === 0) return [];
  return [`Noise of the last ${NOISE_DAYS} days, by rule`, ...notes.map(noiseLine)];
}

function noiseLine({
  rule,
  fired,
  acknowledged,
  muted,
  corrected,
  median_recovery,
  halving,
}: NoiseNote): string {
  const parts = [
    `${rule}: fired ${times(fired)}`,
    ...(acknowledged > 0 ? [`acknowledged ${times(acknowledged)}`] : []),
    ...(muted > 0 ? [`muted ${times(muted)}`] : []),
    ...(corrected > 0 ? [`corrected ${times(corrected)}`] : []),
    ...(median_recovery === null ? [] : [`recovers in ${formatDuration(median_recovery)} (median)`]),
  ];
  const advice =
    halving === null
      ? ''
      : ` · with ${halving.setting}: ${halving.value} it would have fired ${times(halving.fired)}`;
  return `${parts.join(', ')}${advice}`;
}

const times = (count: number): string => (count === 1 ? 'once' : count === 0 ? 'never' : `${count} times`);
