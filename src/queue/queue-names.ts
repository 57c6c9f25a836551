/** One queue per feature that works on stages. */
export const QUEUES = ['ingestion', 'enrichment', 'aggregation'] as const;
export type QueueName = (typeof QUEUES)[number];
