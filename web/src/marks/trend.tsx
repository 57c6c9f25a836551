/** `, ▼ 14.1 points`: how a rate has changed. */
export function Trend({ points, hours }: { points: number; hours: number }) {
  const rounded = Math.abs(points).toFixed(1);
  if (rounded === '0.0') return <>, unchanged</>;
  const arrow = points > 0 ? '▲' : '▼';
  const title = `${points > 0 ? 'up' : 'down'} ${rounded} points from the previous ${hours} h`;
  return (
    <span title={title}>
      , {arrow}
      {'\u00a0'}
      {rounded} points
    </span>
  );
}
