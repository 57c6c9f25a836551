import { useEffect, useRef } from 'preact/hooks';
import type { Light } from '../../../src/domain/model.js';
import { changeQuery } from '../frame/router.js';
import { Shape } from '../marks/status.jsx';
import { applicationsText, LIGHT_LABELS, LIGHT_ORDER } from '../words/words.js';
import { type Filter, isFiltering, type Listed, toggled } from './filter.js';

/** Chooses applications by text, status and owner. The choice is in the address. */
export function FilterBar({ all, shown, filter }: { all: readonly Listed[]; shown: number; filter: Filter }) {
  const input = useSlashKey();
  const owners = [...new Set(all.flatMap(({ now }) => now.owner ?? []))].sort();
  if (filter.owner !== null && !owners.includes(filter.owner)) owners.push(filter.owner);
  return (
    <search class="filter">
      <label>
        <span class="hidden">Filter by name, owner or metric</span>
        <input
          ref={input}
          type="search"
          placeholder="Name, owner or metric"
          value={filter.text}
          onInput={({ currentTarget }) => changeQuery({ q: currentTarget.value }, false)}
        />
        <span class="key" aria-hidden="true">
          /
        </span>
      </label>
      <div class="chips">
        {LIGHT_ORDER.map((light) => (
          <Chip key={light} light={light} all={all} lights={filter.lights} />
        ))}
      </div>
      {owners.length > 1 && (
        <select
          aria-label="Owner"
          value={filter.owner ?? ''}
          onChange={({ currentTarget }) => changeQuery({ owner: currentTarget.value })}
        >
          <option value="">All owners</option>
          {owners.map((owner) => (
            <option key={owner}>{owner}</option>
          ))}
        </select>
      )}
      <p class="found" role="status">
        {isFiltering(filter) && `${shown} of ${applicationsText(all.length)}`}
      </p>
    </search>
  );
}

function Chip({ light, all, lights }: { light: Light; all: readonly Listed[]; lights: readonly Light[] }) {
  const count = all.filter(({ now }) => now.light === light).length;
  const pressed = lights.includes(light);
  if (count === 0 && !pressed) return null;
  return (
    <button
      type="button"
      class={`chip ${light}`}
      aria-pressed={pressed}
      onClick={() => changeQuery({ status: toggled(lights, light) })}
    >
      <Shape of={light} />
      {LIGHT_LABELS[light]} <b>{count.toLocaleString('en')}</b>
    </button>
  );
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('input, select, textarea, [contenteditable]') !== null;

/** `/` focuses the input, Escape leaves it. */
function useSlashKey() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && event.target === input.current) input.current?.blur();
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target))
        return;
      event.preventDefault();
      input.current?.focus();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);
  return input;
}
