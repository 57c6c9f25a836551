import { number } from './statistics.mjs';

const [LEFT, BAR, RIGHT, ROW, TOP] = [330, 320, 190, 26, 46];
/** Longer bars are cut off here, as a multiple of the goal. */
const MOST = 2;
const xml = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** A bar per goal: its length is the measured value relative to the goal, which is the line. Shorter is better. */
export function drawGoals(records) {
  const goals = records.flatMap(({ name, goals }) => goals.map((goal) => ({ name, ...goal })));
  const height = TOP + goals.length * ROW + 14;
  const width = LEFT + BAR + RIGHT;
  const at = LEFT + BAR / MOST;
  const bars = goals.map((goal, i) => {
    const share = goal.atMost === undefined ? goal.atLeast / goal.measured : goal.measured / goal.atMost;
    const length = Math.max(2, Math.min(share, MOST) * (BAR / MOST));
    const y = TOP + i * ROW;
    const limit = goal.atMost === undefined ? `≥ ${number(goal.atLeast)}` : `≤ ${number(goal.atMost)}`;
    return [
      `<text x="${LEFT - 10}" y="${y + 14}" text-anchor="end">${xml(`${goal.name}: ${goal.what}`)}</text>`,
      `<rect x="${LEFT}" y="${y + 3}" width="${length.toFixed(1)}" height="15" fill="${share <= 1 ? '#2f6fb3' : '#c2571a'}"/>`,
      `<text x="${LEFT + BAR + 10}" y="${y + 14}">${xml(`${number(goal.measured)} ${goal.unit} (${limit})`)}</text>`,
    ].join('\n');
  });
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    '<title>Measured values relative to their goals</title>',
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    '<g fill="#222222">',
    `<text x="${LEFT}" y="20" font-size="14">Measured values relative to their goals</text>`,
    `<text x="${at}" y="38" text-anchor="middle">goal</text>`,
    ...bars,
    '</g>',
    `<line x1="${at}" y1="${TOP - 4}" x2="${at}" y2="${height - 10}" stroke="#222222" stroke-dasharray="4 3"/>`,
    '</svg>',
  ].join('\n')}\n`;
}
