const [LEFT, WIDTH, ROW, TOP, SIDE, GAP] = [130, 300, 24, 66, 220, 90];
const LOWEST = 60;
const BLUE = '#2f6fb3';
const ORANGE = '#c2571a';

/** How often the bands held, by family, and how often limits were crossed, by announced probability. */
export function drawCalibration(families, bins) {
  const names = Object.keys(families);
  const height = TOP + Math.max(names.length * ROW, SIDE) + 50;
  const right = LEFT + WIDTH + GAP;
  const x = (percent) => LEFT + (WIDTH * (Math.max(percent, LOWEST) - LOWEST)) / (100 - LOWEST);
  const bottom = TOP + names.length * ROW;
  const tolerance = (percent, color) =>
    `<rect x="${x(percent - 4)}" y="${TOP}" width="${x(Math.min(100, percent + 4)) - x(percent - 4)}" height="${bottom - TOP}" fill="${color}" opacity="0.12"/>
<line x1="${x(percent)}" y1="${TOP}" x2="${x(percent)}" y2="${bottom}" stroke="${color}"/>`;
  const rows = names.map((name, i) => {
    const y = TOP + (i + 0.5) * ROW;
    const { coverage80, coverage95 } = families[name];
    return `<text x="${LEFT - 10}" y="${y + 4}" text-anchor="end">${name}</text>
<circle cx="${x(coverage80)}" cy="${y}" r="5" fill="${BLUE}"/>
<path d="M ${x(coverage95)} ${y - 6} l 6 6 l -6 6 l -6 -6 z" fill="${ORANGE}"/>`;
  });
  const at = (share) => [right + SIDE * share, TOP + SIDE * (1 - share)];
  const most = Math.max(...bins.map(({ forecasts }) => forecasts));
  const points = bins
    .filter(({ forecasts }) => forecasts >= 5)
    .map(({ forecasts, announced, beyond }) => {
      const y = TOP + SIDE * (1 - beyond / forecasts);
      return `<circle cx="${at(announced / forecasts)[0]}" cy="${y}" r="${3 + 5 * Math.sqrt(forecasts / most)}" fill="${BLUE}"/>`;
    });
  const percents = [60, 70, 80, 90, 100].map(
    (percent) => `<text x="${x(percent)}" y="${bottom + 16}" text-anchor="middle">${percent} %</text>`,
  );
  const shares = [0, 0.5, 1].map(
    (share) => `<text x="${at(share)[0]}" y="${TOP + SIDE + 16}" text-anchor="middle">${100 * share} %</text>
<text x="${right - 8}" y="${at(share)[1] + 4}" text-anchor="end">${100 * share} %</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${right + SIDE + 30}" height="${height}" viewBox="0 0 ${right + SIDE + 30} ${height}" font-family="sans-serif" font-size="12">
<title>Calibration of bands and breaches</title>
<rect width="${right + SIDE + 30}" height="${height}" fill="#ffffff"/>
<g fill="#222222">
<text x="${LEFT}" y="22" font-size="14">Values within the bands</text>
<circle cx="${LEFT + 6}" cy="40" r="5" fill="${BLUE}"/><text x="${LEFT + 18}" y="44">80 % band</text>
<path d="M ${LEFT + 100} 34 l 6 6 l -6 6 l -6 -6 z" fill="${ORANGE}"/><text x="${LEFT + 114}" y="44">95 % band; shaded: within 4 points</text>
<text x="${right}" y="22" font-size="14">Limits crossed</text>
<text x="${right}" y="44">by announced probability</text>
${tolerance(80, BLUE)}
${tolerance(95, ORANGE)}
${rows.join('\n')}
${percents.join('\n')}
<rect x="${right}" y="${TOP}" width="${SIDE}" height="${SIDE}" fill="none" stroke="#999999"/>
<line x1="${right}" y1="${TOP + SIDE}" x2="${right + SIDE}" y2="${TOP}" stroke="#999999" stroke-dasharray="4 3"/>
${points.join('\n')}
${shares.join('\n')}
</g>
</svg>
`;
}
