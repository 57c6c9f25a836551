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
  const corners = Array.from({ length: n + 1 }, (_, i) => {
    const x = start.slice();
    if (i > 0) x[i - 1] = (x[i - 1] as number) + (step[i - 1] as number);
    return { x, value: evaluate(x) };
  });
  const center = new Float64Array(n);
  /** The point at center + factor · (x − center). */
  const along = (factor: number, x: Float64Array) => {
    const moved = center.map((c, i) => c + factor * ((x[i] as number) - c));
    return { x: moved, value: evaluate(moved) };
  };
  for (let iteration = 0; iteration < iterations; iteration++) {
    corners.sort((a, b) => a.value - b.value);
    const best = corners[0] as Corner;
    const worst = corners[n] as Corner;
    if (worst.value - best.value < tolerance) break;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let j = 0; j < n; j++) sum += (corners[j] as Corner).x[i] as number;
      center[i] = sum / n;
    }
    const reflected = along(-1, worst.x);
    if (reflected.value < best.value) {
      const expanded = along(-2, worst.x);
      corners[n] = expanded.value < reflected.value ? expanded : reflected;
    } else if (reflected.value < (corners[n - 1] as Corner).value) {
      corners[n] = reflected;
    } else {
      const outside = reflected.value < worst.value;
      const contracted = along(outside ? -0.5 : 0.5, worst.x);
      if (contracted.value < Math.min(reflected.value, worst.value)) corners[n] = contracted;
      else {
        for (let i = 1; i <= n; i++) {
          const x = best.x.map((b, k) => b + ((((corners[i] as Corner).x[k] as number) - b) * 1) / 2);
          corners[i] = { x, value: evaluate(x) };
        }
      }
    }
  }
  return corners.reduce((a, b) => (b.value < a.value ? b : a)).x;
}

interface Corner {
  readonly x: Float64Array;
  readonly value: number;
}
