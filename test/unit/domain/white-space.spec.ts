import { nonBlank, WHITE_SPACE } from '../../../src/domain/text.js';

it('names every character that alone makes a blank text, for SQL to agree with `present`', () => {
  const blank: string[] = [];
  for (let code = 0; code <= 0x10ffff; code++) {
    const character = String.fromCodePoint(code);
    if (nonBlank(character) === null) blank.push(character);
  }
  expect([...WHITE_SPACE].sort()).toEqual(blank.sort());
});
