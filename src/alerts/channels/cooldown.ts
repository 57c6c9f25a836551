import { z } from 'zod';
import type { ChannelMemory } from './contract.js';

const entrySchema = z.object({ incident: z.string(), at: z.number() });
const keyOf = (subject: string): string => `cooldown ${subject}`;

/** The longest cooldown that can be set, minutes. */
const MAX_MINUTES = 1_440;
export const cooldownMinutes = (by: number) => z.int().min(0).max(MAX_MINUTES).default(by);

/** What was started for a subject, so that the next incident of it can wait. */
export class Cooldown {
  private constructor(
    private readonly memory: ChannelMemory,
    private readonly entries: ReadonlyMap<string, unknown>,
    private readonly ms: number,
    private readonly now: number,
  ) {}

  /** @param now ms */
  static async read(memory: ChannelMemory, minutes: number, now: number): Promise<Cooldown> {
    const ms = minutes * 60_000;
    return new Cooldown(memory, ms > 0 ? await memory.read() : new Map(), ms, now);
  }

  /** How long an incident of the subject must wait for the end of the one before, ms. */
  waitOf(subject: string, incident: string): number {
    const entry = entrySchema.safeParse(this.entries.get(keyOf(subject))).data;
    if (!entry || entry.incident === incident) return 0;
    return Math.max(0, entry.at + this.ms - this.now);
  }

  async started(subject: string, incident: string): Promise<void> {
    const { ms, now } = this;
    if (ms > 0) await this.memory.write({ [keyOf(subject)]: { incident, at: now } }, now + ms);
  }
}
