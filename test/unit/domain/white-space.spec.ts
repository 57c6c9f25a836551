import { nonBlank, WHITE_SPACE } from '../../../src/domain/text.js';

it('WHITE_SPACE lists every blank character, so that SQL agrees with nonBlank', () => {
  const blank: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    if (nonBlank(character) === null) blank.push(character);
  }
  expect([...WHITE_SPACE].sort()).toEqual(blank.sort());
});
