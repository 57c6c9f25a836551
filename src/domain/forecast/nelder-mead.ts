/**
 * Minimizes a function of a few variables without derivatives: J. A. Nelder and R. Mead, A simplex method for function
 * minimization, 1965. Deterministic; ends after `iterations` or when the values of the simplex differ by less than
 * `tolerance`.
 * @param step how far the other corners of the first simplex are from `start`, per variable
 * @returns the best corner; `start` is not changed
 */
export function minimize(
  evaluate: (x: Float64Array) => number,
  start: Float64Array,
  step: Float64Array,
  iterations: number,
  tolerance: number,
): Float64Array {
  const n = start.length;
  const corners = Array.from({ length: n + 1 }, (_, i): Corner => {
    const x = start.slice();
    if (i > 0) x[i - 1] = (x[i - 1] as number) + (step[i - 1] as number);
    return { x, value: evaluate(x) };
  });
  const center = new Float64Array(n);
  /** The point at from + factor · (x − from). */
  const along = (from: Float64Array, factor: number, x: Float64Array): Corner => {
    const moved = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const begin = from[i] as number;
      moved[i] = begin + factor * ((x[i] as number) - begin);
    }
    return { x: moved, value: evaluate(moved) };
  };
  for (let iteration = 0; iteration < iterations; iteration++) {
    sortCorners(corners);
    const best = corners[0] as Corner;
    const worst = corners[n] as Corner;
    if (worst.value - best.value < tolerance) break;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += (corners[j] as Corner).x[i] as number;
      center[i] = sum / n;
    }
    const reflected = along(center, -1, worst.x);
    if (reflected.value < best.value) {
      const expanded = along(center, -2, worst.x);
      corners[n] = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < (corners[n - 1] as Corner).value) {
      corners[n] = reflected;
    } else {
      const outside = reflected.value < worst.value;
      const contracted = along(center, outside ? -0.5 : 0.5, worst.x);
      if (contracted.value < Math.min(reflected.value, worst.value)) corners[n] = contracted;
      else {
        for (let i = 1; i <= n; i++) corners[i] = along(best.x, 0.5, (corners[i] as Corner).x);
      }
    }
  }
  return corners.reduce((a, b) => (b.value < a.value ? b : a)).x;
}

/** By value; corners of the same value keep their order. A simplex has few: a search spends less on this than on `sort`. */
function sortCorners(corners: Corner[]): void {
  for (let i = 1; i < corners.length; i++) {
    const corner = corners[i] as Corner;
    let at = i;
    for (; at > 0 && (corners[at - 1] as Corner).value > corner.value; at--)
      corners[at] = corners[at - 1] as Corner;
    corners[at] = corner;
  }
}

interface Corner {
  readonly x: Float64Array;
  readonly value: number;
}
