import type { decideMerge, ObservedRun } from './models/merge-precedence.js';

/** An adjustment of the server's clock, ms: the true time at which it happens, and the difference. */
export interface Jump {
  readonly at: number;
  readonly by: number;
}

/** A tracking server with one run, whose content is a text; null if the run is gone. */
export interface Server {
  /** The changes of the run in any order; `at` is true time, ms. */
  readonly changes: readonly { readonly at: number; readonly content: string | null }[];
  readonly jumps: readonly Jump[];
  /** Interval at which each worker updates its `Date` header, ms; the header has whole seconds. */
  readonly refresh: number;
  /** Whether a response has the header of the time when its request arrived, or of the time when its first byte was sent. */
  readonly dateOfArrival: boolean;
}

/**
 * A request. Each time is in ms after the previous one: it arrives, the server reads its database, begins to respond, and
 * the response ends.
 */
export interface SimulatedRequest {
  /** When the responding worker first set its header, ms after true time 0. */
  readonly phase: number;
  readonly begin: number;
  readonly arrive: number;
  readonly read: number;
  readonly reply: number;
  readonly end: number;
}

/** Requests whose responses are merged together, `hold` ms after the last response has ended. */
export interface SimulatedSlice {
  readonly requests: readonly SimulatedRequest[];
  readonly hold: number;
}

interface SimulatedResponse extends ObservedRun {
  readonly readAt: number;
  readonly endedAt: number;
}

export const contentAt = ({ changes }: Server, time: number): string | null =>
  [...changes].sort((a, b) => a.at - b.at).findLast(({ at }) => at <= time)?.content ?? null;

export function dateAt({ jumps, refresh }: Server, phase: number, time: number): number {
  const updated = phase + Math.floor((time - phase) / refresh) * refresh;
  const clock = jumps.filter(({ at }) => at <= updated).reduce((sum, { by }) => sum + by, updated);
  return Math.floor(clock / 1000) * 1000;
}

export function responseTo(
  server: Server,
  { phase, begin, arrive, read, reply, end }: SimulatedRequest,
): SimulatedResponse {
  const arrivedAt = begin + arrive;
  const readAt = arrivedAt + read;
  const repliedAt = readAt + reply;
  const endedAt = repliedAt + end;
  const date = dateAt(server, phase, server.dateOfArrival ? arrivedAt : repliedAt);
  return { content: contentAt(server, readAt), date, began: date - (endedAt - begin), readAt, endedAt };
}

/** The base and the list of open runs, for the one run of a server. */
export class MergeSimulation {
  row: ObservedRun | undefined;
  /** The run's entry in the list: a unique number. */
  entry: number | undefined;
  /** Of the merged responses, the one read last. */
  newest: { readonly readAt: number; readonly content: string | null } | undefined;
  private entries = 0;

  constructor(
    private readonly server: Server,
    private readonly decide: typeof decideMerge,
  ) {}

  /** Merges the slices in the order in which they become ready. */
  run(slices: readonly SimulatedSlice[]): void {
    const events = slices.flatMap(({ requests, hold }) => {
      const responses = requests.map((request) => responseTo(this.server, request));
      const ready = Math.max(...responses.map(({ endedAt }) => endedAt)) + hold;
      let planned: number | undefined;
      return [
        {
          at: Math.min(...requests.map(({ begin }) => begin)),
          happen: () => {
            planned = this.entry;
          },
        },
        { at: ready, happen: () => this.merge(responses, ready, planned) },
      ];
    });
    for (const { happen } of events.sort((a, b) => a.at - b.at)) happen();
  }

  /** A fast pipeline run that begins at this time. */
  fetch(begin: number): void {
    this.run([{ requests: [{ phase: 0, begin, arrive: 20, read: 100, reply: 20, end: 20 }], hold: 50 }]);
  }

  /** @param planned the run's entry when the pipeline run was planned: only this one is closed */
  private merge(responses: readonly SimulatedResponse[], at: number, planned: number | undefined): void {
    // A run in some responses is not gone. Of the responses that contain it, the last request counts, as in latest.sql.
    const present = responses.filter(({ content }) => content !== null);
    const usable = present.length > 0 ? present : responses;
    const [incoming] = [...usable].sort((a, b) => b.began - a.began || b.date - a.date);
    if (!incoming) return;
    const torn = usable.some(({ content }) => content !== incoming.content);
    let decision = this.decide(this.row, incoming, null);
    if (decision === 'supersede') decision = this.decide(this.row, incoming, dateAt(this.server, 0, at));
    if (decision === undefined) return;
    for (const response of usable) if (response.readAt >= (this.newest?.readAt ?? 0)) this.newest = response;
    if (decision === 'insert' || decision === 'replace' || decision === 'overrule') this.row = incoming;
    if (torn || decision === 'supersede' || decision === 'overrule') this.entry = ++this.entries;
    else if (this.entry === planned) this.entry = undefined;
  }
}
