import { MlflowError, parseFilter, parseOrder } from '../../../src/demo/run-filter.js';

const refusalOf = (work: () => unknown): unknown => {
  try {
    work();
    return undefined;
  } catch (error) {
    return error instanceof MlflowError ? error.status : error;
  }
};

describe('the demo server', () => {
  it.each([
    'metrics.accuracy > 0.5',
    "tags.application = 'shop'",
    "params.model_version = 'v1'",
    "attributes.run_name = 'x'",
    "attributes.run_id NOT IN ('x')",
    "attributes.status LIKE 'RUN%'",
    "datasets.name = 'x'",
  ])('says of %s that it does not know it: MLflow does, and a guess would be a lie', (filter) => {
    expect(refusalOf(() => parseFilter(filter))).toBe(501);
  });

  it.each(['metrics.accuracy ASC', 'attributes.status DESC', 'attributes.run_id', 'tags.x'])(
    'says of the order %s that it does not know it',
    (clause) => {
      expect(refusalOf(() => parseOrder([clause]))).toBe(501);
    },
  );

  it('refuses what MLflow refuses', () => {
    expect(refusalOf(() => parseFilter("attributes.status IN ('RUNNING')"))).toBe(400);
    expect(refusalOf(() => parseOrder(['attributes.nope']))).toBe(400);
    expect(refusalOf(() => parseFilter("attributes.status = 'RUNNING'"))).toBeUndefined();
  });
});
