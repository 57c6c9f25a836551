import { z } from 'zod';

/** A part of the published data that one job judges or rebuilds: a UTC day, `YYYY-MM-DD`. */
export const unitSchema = z.object({ day: z.iso.date() });
export type Unit = z.infer<typeof unitSchema>;

/** `day-<YYYYMMDD>`: names the unit's jobs and markers, instead of a slice. */
export const unitId = ({ day }: Unit): string => `day-${day.replaceAll('-', '')}`;

/** @returns `undefined` if the id is not that of a unit */
export function unitOf(id: string): Unit | undefined {
  const [, year, month, date] = /^day-(\d{4})(\d{2})(\d{2})$/.exec(id) ?? [];
  const unit = unitSchema.safeParse({ day: `${year}-${month}-${date}` });
  return unit.success ? unit.data : undefined;
}
