import { jest } from '@jest/globals';
import { ServiceLogger } from '../../../src/observability/logger.js';

/** Clears the screen, begins a line that looks like the service's, turns the direction of text around. */
const HOSTILE = '\u001b[2Ja\n12:00:00 ERROR forged\r\u009b31m\u202eb\u2028c';

/** What a logger writes to a stream of the process. */
function written(stream: 'stdout' | 'stderr', asJson: boolean, log: (logger: ServiceLogger) => void): string {
  const write = jest.spyOn(process[stream], 'write').mockReturnValue(true);
  try {
    log(new ServiceLogger('info', asJson));
    return write.mock.calls.map(([text]) => String(text)).join('');
  } finally {
    write.mockRestore();
  }
}

/** The colours of the logger: green, red, and their end. */
const withoutColours = (text: string): string =>
  ['\u001b[32m', '\u001b[31m', '\u001b[39m'].reduce((rest, colour) => rest.replaceAll(colour, ''), text);

describe('a hostile text in the log', () => {
  const controls = /[^\P{Cc}\n]|\p{Bidi_Control}|[\u2028\u2029]/u;

  it('neither controls the terminal nor begins a line', () => {
    const text = written('stdout', false, (logger) => logger.log(HOSTILE, 'Service'));
    // The colours are those of the logger.
    const lines = withoutColours(text).split('\n');
    expect(lines[0]).toMatch(/ \\u001b\[2Ja$/);
    expect(lines[1]).toBe(String.raw`    12:00:00 ERROR forged\u000d\u009b31m\u202eb\u2028c`);
    expect(lines.slice(2)).toEqual(['']);
  });

  it('is not obeyed in a stack trace', () => {
    const stack = 'Error: a\u001b[2J\u202e\n    at x (file.js:1:2)';
    const text = written('stderr', false, (logger) => logger.error('failed', stack));
    expect(withoutColours(text)).not.toMatch(controls);
    expect(text).toContain(String.raw`Error: a\u001b[2J\u202e`);
  });

  it('is one line of JSON, and the same text for who parses it', () => {
    const line = written('stdout', true, (logger) => logger.log(HOSTILE, 'Service'));
    expect(line.trimEnd()).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028]/u);
    expect(JSON.parse(line)).toMatchObject({ message: HOSTILE });
  });
});
