import { z } from 'zod';

/** Every experiment that was ever listed: merged by the time of observation, never dropped. */
export const EXPERIMENTS_KEY = '_state/experiments.json';

const storedExperimentSchema = z.object({
  name: z.string(),
  lifecycle_stage: z.enum(['active', 'deleted']),
  tags: z.record(z.string(), z.string()),
  /** Whether the newest listing holds it. */
  listed: z.boolean(),
  /** ms, the server's clock. */
  observed_at: z.int(),
});
export type StoredExperiment = z.infer<typeof storedExperimentSchema>;

export const experimentsSchema = z.object({
  version: z.literal(1),
  experiments: z.record(z.string(), storedExperimentSchema),
});
export type StoredExperiments = z.infer<typeof experimentsSchema>;
