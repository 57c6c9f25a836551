/** Rows drawn beyond both edges of the window, so that the next ones are there before they are seen or focused. */
const MARGIN = 8;

/**
 * The rows of a long list that are drawn.
 * @param top the upper edge of the list below that of the window, px; negative if it is scrolled
 * @returns half-open
 */
export function visibleRows(
  top: number,
  windowHeight: number,
  rowHeight: number,
  rows: number,
): { readonly from: number; readonly to: number } {
  const clamp = (row: number) => Math.max(0, Math.min(rows, row));
  const from = clamp(Math.floor(-top / rowHeight) - MARGIN);
  return { from, to: Math.max(from, clamp(Math.ceil((windowHeight - top) / rowHeight) + MARGIN)) };
}
