import { MlflowError, parseFilter, parseOrder } from '../../../src/demo/run-filter.js';

/** The HTTP status of the error that a function throws; `undefined` if it throws none. */
const errorStatusOf = (parse: () => unknown): unknown => {
  try {
    parse();
    return undefined;
  } catch (error) {
    return error instanceof MlflowError ? error.status : error;
  }
};

describe('the filter and order of the demo server', () => {
  it.each([
    'metrics.accuracy > 0.5',
    "tags.application LIKE 'shop'",
    "params.model_version = 'v1'",
    "attributes.run_name = 'x'",
    "attributes.run_id NOT IN ('x')",
    "attributes.status LIKE 'RUN%'",
    "datasets.name = 'x'",
  ])('rejects the filter %s as not implemented, because MLflow supports it', (filter) => {
    expect(errorStatusOf(() => parseFilter(filter))).toBe(501);
  });

  it.each(['metrics.accuracy ASC', 'attributes.status DESC', 'attributes.run_id', 'tags.x'])(
    'rejects the order %s as not implemented',
    (clause) => {
      expect(errorStatusOf(() => parseOrder([clause]))).toBe(501);
    },
  );

  it('rejects what MLflow rejects', () => {
    expect(errorStatusOf(() => parseFilter("attributes.status IN ('RUNNING')"))).toBe(400);
    expect(errorStatusOf(() => parseOrder(['attributes.nope']))).toBe(400);
    expect(errorStatusOf(() => parseFilter("attributes.status = 'RUNNING'"))).toBeUndefined();
  });
});
