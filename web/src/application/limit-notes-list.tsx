import { minuteTime } from '../words/time.js';
import { keepUnits } from '../words/words.js';
import { zone } from '../words/zone.js';
import { changeText, type LimitNote } from './limit-notes.js';

/** What the letters in the pictures mean: who changed which limit, and when. */
export function LimitNotes({ notes }: { notes: readonly LimitNote[] }) {
  if (notes.length === 0) return null;
  return (
    <ul class="limit-notes" aria-label="Changes of limits">
      {notes.map(({ letter, change, metrics, unit }) => (
        <li key={letter}>
          <span class="letter">{letter}</span>
          <span>
            <time dateTime={change.at}>{minuteTime(change.at, zone.value)}</time>,{' '}
            {metrics.length > 3 ? `${change.metric_name} (${metrics.length} metrics)` : metrics.join(', ')}:{' '}
            {keepUnits(changeText(change, unit))}
          </span>
        </li>
      ))}
    </ul>
  );
}
