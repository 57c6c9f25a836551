import { slackPayload } from '../../../src/alerts/channels/slack.js';
import { messageText } from '../../../src/domain/alerts/message-text.js';
import { CONTEXT, HOSTILE, hostileLine, line, message } from '../../integration/alerts/messages.js';
import { controlSequences, slackMessageSchema } from '../../support/slack-schema.js';

const payloadOf = (lines: Parameters<typeof message>[0]) =>
  slackPayload(messageText(message(lines), CONTEXT));
const textsOf = ({ text, blocks }: ReturnType<typeof slackPayload>) => [
  text,
  ...blocks.flatMap((block) => (block.type === 'section' ? [block.text.text] : [])),
];

test.each(HOSTILE)('The name %j is inert in a message of one and of several alerts', (text) => {
  for (const lines of [[hostileLine(text)], [hostileLine(text), line()]]) {
    const payload = payloadOf(lines);
    expect(slackMessageSchema.safeParse(payload).error).toBeUndefined();
    for (const { type, ...block } of payload.blocks) {
      if (!('text' in block)) throw new Error(`unexpected ${type}`);
      const sequences = controlSequences(block.text.text);
      if (block.text.type === 'plain_text') expect(sequences).toEqual([]);
      // Only links, to the addresses that the service has made.
      else
        for (const each of sequences)
          expect(each).toMatch(/^<https:\/\/(monitor|mlflow|wiki)\.example\.com\/[^|<>\s]*\|[A-Za-z ]+>$/);
    }
    expect(controlSequences(payload.text)).toEqual([]);
  }
});

test.each([1, 2, 15, 200, 2_000])('A message of %i alerts is within the published limits', (count) => {
  const lines = Array.from({ length: count }, (_, n) =>
    line({
      id: `id-${n}`,
      subject: { scope: 'metric', application: `${'&'.repeat(40)}${n}`, metric: 'm', item: null },
    }),
  );
  const payload = payloadOf(lines);
  expect(slackMessageSchema.safeParse(payload).error).toBeUndefined();
  const shown = textsOf(payload).join('\n').match(/^• /gm)?.length ?? 1;
  const left = Number(
    /and (\d+) more$/.exec(
      textsOf(payload)
        .slice(1)
        .join('\n')
        .replace(/\n<.*$/, ''),
    )?.[1] ?? 0,
  );
  expect(shown + left).toBe(count);
});

test('Nothing that looks like a channel, a person or an address becomes a link', () => {
  const payload = payloadOf([hostileLine(':rotating_light: @channel #general')]);
  const texts = payload.blocks.flatMap((block) => ('text' in block ? [block.text] : []));
  expect(texts.every((text) => (text.type === 'mrkdwn' ? text.verbatim : text.emoji === false))).toBe(true);
});
