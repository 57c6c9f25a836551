/** One queue per feature that works on stages. */
export const STAGE_QUEUES = ['ingestion', 'enrichment', 'aggregation'] as const;
export type QueueName = (typeof STAGE_QUEUES)[number];

/** The queue of the messages of alerts. */
export const NOTIFICATION_QUEUE = 'notification';

export const QUEUES = [...STAGE_QUEUES, NOTIFICATION_QUEUE] as const;
