import { z } from 'zod';

/** Lengths are those of the docs, see the link of each; Slack counts the escaped text. */
const plainText = (max: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(max),
    emoji: z.boolean().optional(),
  });
const markdown = z.strictObject({
  type: z.literal('mrkdwn'),
  text: z.string().min(1).max(3000),
  verbatim: z.boolean().optional(),
});

/** What an incoming webhook of Slack accepts: https://docs.slack.dev/reference/block-kit/blocks */
export const slackMessageSchema = z
  .strictObject({
    // https://docs.slack.dev/apis/web-api/rate-limits: longer texts than 4,000 characters are not recommended.
    text: z.string().min(1).max(4000),
    blocks: z
      .array(
        z.discriminatedUnion('type', [
          // https://docs.slack.dev/reference/block-kit/blocks/section-block
          z.strictObject({ type: z.literal('section'), text: z.union([plainText(3000), markdown]) }),
          z.strictObject({ type: z.literal('divider') }),
        ]),
      )
      .min(1)
      .max(50),
    unfurl_links: z.boolean(),
    unfurl_media: z.boolean(),
  })
  // msg_blocks_too_long, observed at 13,172 characters: https://github.com/slackapi/bolt-js/issues/2509
  .refine(
    ({ blocks }) =>
      blocks.reduce((sum, block) => sum + ('text' in block ? block.text.text.length : 0), 0) < 13_172,
    'msg_blocks_too_long',
  );

/** Slack's control sequences `<…>` in a text. */
export const controlSequences = (text: string): string[] => text.match(/<[^>]*>/g) ?? [];
