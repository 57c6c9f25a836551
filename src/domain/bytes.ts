import type { Steps } from './steps.js';

const BYTES_AT_ONCE = 2 ** 20;

/** As `Buffer.concat`, for buffers of any size. */
export function* concatSteps(parts: readonly Buffer[]): Steps<Buffer> {
  const whole = Buffer.allocUnsafeSlow(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    for (const piece of piecesOf(part)) {
      yield;
      at += piece.copy(whole, at);
    }
  }
  return whole;
}

/** Views of at most 1 MiB. */
export function* piecesOf(bytes: Buffer): Generator<Buffer, void, void> {
  for (let at = 0; at < bytes.length; at += BYTES_AT_ONCE) yield bytes.subarray(at, at + BYTES_AT_ONCE);
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** The bytes of a text in UTF-8 without its byte order mark. */
export const withoutByteOrderMark = (bytes: Buffer): Buffer =>
  BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? bytes.subarray(BYTE_ORDER_MARK.length) : bytes;
