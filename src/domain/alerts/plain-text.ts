/**
 * Control, format and separator characters: newlines, and those that change the direction of text or are invisible. They
 * could hide or reorder what a message says.
 */
const NOT_PRINTED = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\s]+/gu;

/**
 * Text of others as one printable line: what is not printed becomes a space.
 * @param max code points; a longer text ends in `…`
 */
export function plainText(text: string, max: number): string {
  const line = [...text.replace(NOT_PRINTED, ' ').trim()];
  return line.length > max ? `${line.slice(0, max - 1).join('')}…` : line.join('');
}
