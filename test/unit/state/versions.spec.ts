import { FIRST_VERSIONS, namedInputs, versionsOfInputs } from '../../../src/state/versions.js';

describe('the inputs that an object names', () => {
  it('are the digest alone for the first versions, as earlier releases wrote them', () => {
    expect(namedInputs(FIRST_VERSIONS, 'abc')).toBe('abc');
    expect(versionsOfInputs('abc')).toEqual(FIRST_VERSIONS);
  });

  it('show higher versions', () => {
    for (const versions of [
      { rules: 2, schema: 1 },
      { rules: 1, schema: 12 },
    ]) {
      expect(versionsOfInputs(namedInputs(versions, 'abc'))).toEqual(versions);
    }
  });
});
