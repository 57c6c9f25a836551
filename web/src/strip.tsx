import { useState } from 'preact/hooks';
import type { Light } from '../../src/domain/model.js';
import { dayText, LIGHT_WORDS, shortDay } from './words.js';

export interface Cell {
  readonly light: Light;
  readonly title: string;
}

/** A mark a day: the worse, the taller; hatched where nothing ran. */
export function Strip({ cells }: { cells: readonly Cell[] }) {
  return (
    <div class="strip small" role="img" aria-label={summary(cells)}>
      {cells.map(({ light, title }) => (
        <span key={title} class={`cell ${light}`} title={title} />
      ))}
    </div>
  );
}

const STEPS: Readonly<Record<string, (at: number, last: number) => number>> = {
  ArrowLeft: (at) => at - 1,
  ArrowRight: (at) => at + 1,
  Home: () => 0,
  End: (_, last) => last,
};

/** The same with room for each day: the pointer, a tap or the arrow keys tell of one. */
export function Timeline({ cells, dates }: { cells: readonly Cell[]; dates: readonly string[] }) {
  const [chosen, choose] = useState<number | null>(null);
  const last = cells.length - 1;
  const at = chosen ?? last;
  const step = (event: KeyboardEvent) => {
    const next = STEPS[event.key];
    if (!next) return;
    event.preventDefault();
    choose(Math.max(0, Math.min(last, next(at, last))));
  };
  return (
    <div class="days">
      <div
        class="strip"
        role="slider"
        tabIndex={0}
        aria-label="The platform by days"
        aria-valuemin={1}
        aria-valuemax={cells.length}
        aria-valuenow={at + 1}
        aria-valuetext={cells[at]?.title}
        onKeyDown={step}
        onBlur={() => choose(null)}
        onPointerLeave={() => choose(null)}
      >
        {cells.map(({ light, title }, i) => (
          <span key={title} class={i === chosen ? 'day chosen' : 'day'} onPointerEnter={() => choose(i)}>
            <span class={`cell ${light}`} />
          </span>
        ))}
      </div>
      <p class="scale" aria-hidden="true">
        {dates.map((day, i) => {
          const named = i > 0 && (last - i) % 7 === 0;
          return <span key={day}>{i === last ? 'today' : named && shortDay(day)}</span>;
        })}
      </p>
      <p class="legend">
        {chosen === null
          ? 'One mark a day: the worse, the taller; hatched where nothing ran.'
          : cells[chosen]?.title}
      </p>
    </div>
  );
}

export function cellTitle(day: string, light: Light, text: string): string {
  return `${dayText(day)}: ${LIGHT_WORDS[light].toLowerCase()}. ${text}`;
}

function summary(cells: readonly Cell[]): string {
  const counts = new Map<Light, number>();
  for (const { light } of cells) counts.set(light, (counts.get(light) ?? 0) + 1);
  const parts = [...counts].map(([light, count]) => `${count} ${LIGHT_WORDS[light].toLowerCase()}`);
  return `${cells.length} days: ${parts.join(', ')}`;
}
