import { z } from 'zod';

/** The aggregates of the whole platform, of a day with several parts: they are computed from all of these. */
export const PLATFORM = 'platform';

/** What one job judges or rebuilds: a UTC day, `YYYY-MM-DD`, or one of the parts of a day that has several. */
export const unitSchema = z.object({
  day: z.iso.date(),
  /** Absent: everything of the day. */
  part: z.union([z.int().nonnegative(), z.literal(PLATFORM)]).optional(),
});
export type Unit = z.infer<typeof unitSchema>;

/** `day-<YYYYMMDD>`, `day-<YYYYMMDD>-<part>`: names the unit's jobs and markers, instead of a slice. */
export function unitId({ day, part }: Unit): string {
  const id = `day-${day.replaceAll('-', '')}`;
  return part === undefined ? id : `${id}-${part}`;
}

/** @returns `undefined` if the id is not that of a unit */
export function unitOf(id: string): Unit | undefined {
  const [, year, month, date, part] = /^day-(\d{4})(\d{2})(\d{2})(?:-(\d{1,9}|platform))?$/.exec(id) ?? [];
  const unit = unitSchema.safeParse({
    day: `${year}-${month}-${date}`,
    ...(part === undefined ? {} : { part: part === PLATFORM ? part : Number(part) }),
  });
  return unit.success ? unit.data : undefined;
}
