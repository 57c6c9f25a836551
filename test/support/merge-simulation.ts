import type { decideMerge, ObservedRun } from './models/merge-precedence.js';

/** A clock that is set to another time. ms of true time and of the difference. */
export interface Jump {
  readonly at: number;
  readonly by: number;
}

/** A tracking server with one run, whose content is a text; null: it has the run no more. */
export interface Server {
  /** What becomes of the run, and when; ms of true time, in any order. */
  readonly changes: readonly { readonly at: number; readonly content: string | null }[];
  readonly jumps: readonly Jump[];
  /** Each of its workers makes its `Date` header anew every so many ms, in whole seconds. */
  readonly refresh: number;
  /** Whether an answer gets the header that was there when its request came, or when it began to be sent. */
  readonly dateOfArrival: boolean;
}

/** A request, each time ms after the one before: the server gets it, reads its database, answers, and the answer ends. */
export interface Ask {
  /** When the worker that answers made its header, ms after true time 0. */
  readonly phase: number;
  readonly begin: number;
  readonly arrive: number;
  readonly read: number;
  readonly reply: number;
  readonly end: number;
}

/** Answers that are merged together, so long after the last of them has come. */
export interface SliceOfAsks {
  readonly asks: readonly Ask[];
  readonly hold: number;
}

interface Answer extends ObservedRun {
  readonly readAt: number;
  readonly endedAt: number;
}

export const contentAt = ({ changes }: Server, time: number): string | null =>
  [...changes].sort((a, b) => a.at - b.at).findLast(({ at }) => at <= time)?.content ?? null;

export function dateAt({ jumps, refresh }: Server, phase: number, time: number): number {
  const made = phase + Math.floor((time - phase) / refresh) * refresh;
  const clock = jumps.filter(({ at }) => at <= made).reduce((sum, { by }) => sum + by, made);
  return Math.floor(clock / 1000) * 1000;
}

export function answerTo(server: Server, { phase, begin, arrive, read, reply, end }: Ask): Answer {
  const arrivedAt = begin + arrive;
  const readAt = arrivedAt + read;
  const repliedAt = readAt + reply;
  const endedAt = repliedAt + end;
  const date = dateAt(server, phase, server.dateOfArrival ? arrivedAt : repliedAt);
  return { content: contentAt(server, readAt), date, began: date - (endedAt - begin), readAt, endedAt };
}

/** The base and the list of open runs, as far as they hold the one run of a server. */
export class MergeSimulation {
  row: ObservedRun | undefined;
  /** The run's entry in the list: a number that no other entry has. */
  entry: number | undefined;
  /** The content of the answer that was read last, of those that were merged. */
  newest: { readonly readAt: number; readonly content: string | null } | undefined;
  private entries = 0;

  constructor(
    private readonly server: Server,
    private readonly decide: typeof decideMerge,
  ) {}

  /** Merges the slices in the order in which they are ready. */
  live(slices: readonly SliceOfAsks[]): void {
    const events = slices.flatMap(({ asks, hold }) => {
      const answers = asks.map((ask) => answerTo(this.server, ask));
      const ready = Math.max(...answers.map(({ endedAt }) => endedAt)) + hold;
      let planned: number | undefined;
      return [
        {
          at: Math.min(...asks.map(({ begin }) => begin)),
          happen: () => {
            planned = this.entry;
          },
        },
        { at: ready, happen: () => this.merge(answers, ready, planned) },
      ];
    });
    for (const { happen } of events.sort((a, b) => a.at - b.at)) happen();
  }

  /** A pipeline run that begins at this time, quickly done. */
  ask(begin: number): void {
    this.live([{ asks: [{ phase: 0, begin, arrive: 20, read: 100, reply: 20, end: 20 }], hold: 50 }]);
  }

  /** @param planned the run's entry when the pipeline run was planned: only this one is closed */
  private merge(answers: readonly Answer[], at: number, planned: number | undefined): void {
    // A run that some answers hold is not gone. Of answers that hold it the one asked last counts, as in facts.sql.
    const holding = answers.filter(({ content }) => content !== null);
    const usable = holding.length > 0 ? holding : answers;
    const [incoming] = [...usable].sort((a, b) => b.began - a.began || b.date - a.date);
    if (!incoming) return;
    const torn = usable.some(({ content }) => content !== incoming.content);
    let decision = this.decide(this.row, incoming, null);
    if (decision === 'supersede') decision = this.decide(this.row, incoming, dateAt(this.server, 0, at));
    if (decision === undefined) return;
    for (const answer of usable) if (answer.readAt >= (this.newest?.readAt ?? 0)) this.newest = answer;
    if (decision === 'insert' || decision === 'replace' || decision === 'overrule') this.row = incoming;
    if (torn || decision === 'supersede' || decision === 'overrule') this.entry = ++this.entries;
    else if (this.entry === planned) this.entry = undefined;
  }
}
