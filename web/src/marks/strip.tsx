import { useState } from 'preact/hooks';
import type { Light } from '../../../src/domain/model.js';
import { dayText, shortDay } from '../words/time.js';
import { LIGHT_LABELS } from '../words/words.js';

interface Cell {
  readonly light: Light;
  readonly title: string;
}

/** One bar per day: taller is worse, hatched means no runs. */
export function Strip({ cells }: { cells: readonly Cell[] }) {
  return (
    <div class="strip small" role="img" aria-label={summary(cells)}>
      {cells.map(({ light, title }) => (
        <span key={title} class={`cell ${light}`} title={title} />
      ))}
    </div>
  );
}

const KEYS: Readonly<Record<string, (index: number, last: number) => number>> = {
  ArrowLeft: (index) => index - 1,
  ArrowRight: (index) => index + 1,
  Home: () => 0,
  End: (_, last) => last,
};

/** The same, wider: pointing at a day, tapping it or moving to it with the arrow keys shows its details. */
export function Timeline({ cells, dates }: { cells: readonly Cell[]; dates: readonly string[] }) {
  const [selected, select] = useState<number | null>(null);
  const last = cells.length - 1;
  const shown = selected ?? last;
  const onKeyDown = (event: KeyboardEvent) => {
    const next = KEYS[event.key];
    if (!next) return;
    event.preventDefault();
    select(Math.max(0, Math.min(last, next(shown, last))));
  };
  return (
    <div class="days">
      <div
        class="strip"
        role="slider"
        tabIndex={0}
        aria-label="Platform status by day"
        aria-valuemin={1}
        aria-valuemax={cells.length}
        aria-valuenow={shown + 1}
        aria-valuetext={cells[shown]?.title}
        onKeyDown={onKeyDown}
        onBlur={() => select(null)}
        onPointerLeave={() => select(null)}
      >
        {cells.map(({ light, title }, i) => (
          <span key={title} class={i === selected ? 'day selected' : 'day'} onPointerEnter={() => select(i)}>
            <span class={`cell ${light}`} />
          </span>
        ))}
      </div>
      <p class="scale" aria-hidden="true">
        {dates.map((day, i) => {
          const labelled = i > 0 && (last - i) % 7 === 0;
          return <span key={day}>{i === last ? 'today' : labelled && shortDay(day, 'UTC')}</span>;
        })}
      </p>
      <p class="legend">
        {selected === null
          ? 'One bar per day: taller is worse, hatched means no runs.'
          : cells[selected]?.title}
      </p>
    </div>
  );
}

export function cellTitle(day: string, light: Light, text: string): string {
  return `${dayText(day, 'UTC')}: ${LIGHT_LABELS[light].toLowerCase()}. ${text}`;
}

function summary(cells: readonly Cell[]): string {
  const counts = new Map<Light, number>();
  for (const { light } of cells) counts.set(light, (counts.get(light) ?? 0) + 1);
  const parts = [...counts].map(([light, count]) => `${count} ${LIGHT_LABELS[light].toLowerCase()}`);
  return `${cells.length} days: ${parts.join(', ')}`;
}
