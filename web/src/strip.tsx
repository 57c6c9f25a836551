import type { Light } from '../../src/domain/model.js';
import { dayText, LIGHT_WORDS } from './words.js';

export interface Cell {
  readonly light: Light;
  readonly title: string;
}

/** A mark a day: the worse, the taller; hatched where nothing ran. */
export function Strip({ cells, small = false }: { cells: readonly Cell[]; small?: boolean }) {
  return (
    <div class={small ? 'strip small' : 'strip'} role="img" aria-label={summary(cells)}>
      {cells.map(({ light, title }) => (
        <span key={title} class={`cell ${light}`} title={title} />
      ))}
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
