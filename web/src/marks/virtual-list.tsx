import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { visibleRows } from './virtual-rows.js';

/** A list of rows of one height, of which only those near the window are in the document. */
export function VirtualList<T>({
  items,
  rowHeight,
  label,
  keyOf,
  children,
}: {
  items: readonly T[];
  /** px */
  rowHeight: number;
  label: string;
  keyOf: (item: T) => string;
  children: (item: T) => ComponentChildren;
}) {
  const list = useRef<HTMLUListElement>(null);
  const [{ from, to }, setRows] = useState({ from: 0, to: 0 });
  useLayoutEffect(() => {
    const measure = () => {
      const top = list.current?.getBoundingClientRect().top ?? 0;
      const next = visibleRows(top, innerHeight, rowHeight, items.length);
      setRows((rows) => (rows.from === next.from && rows.to === next.to ? rows : next));
    };
    measure();
    addEventListener('scroll', measure, { passive: true });
    addEventListener('resize', measure);
    return () => {
      removeEventListener('scroll', measure);
      removeEventListener('resize', measure);
    };
  }, [items.length, rowHeight]);
  return (
    <ul class="virtual" ref={list} aria-label={label} style={{ height: `${items.length * rowHeight}px` }}>
      {items.slice(from, to).map((item, i) => (
        <li
          key={keyOf(item)}
          style={{ top: `${(from + i) * rowHeight}px`, height: `${rowHeight}px` }}
          aria-setsize={items.length}
          aria-posinset={from + i + 1}
        >
          {children(item)}
        </li>
      ))}
    </ul>
  );
}
