import { NotFoundException } from '@nestjs/common';
import type { Request, Response } from 'express';
import { dayOf, daysOf, MS_PER_DAY } from '../../domain/time.js';
import { type Duck, type DuckSession, sql } from '../../storage/duck.js';
import type { Dataset } from '../../storage/keys.js';
import type { ObjectEntry, ObjectStore } from '../../storage/object-store.js';
import type { PlatformSnapshot, PlatformView } from '../platform-view.js';
import { entriesOf, fetchFiles, listAll, listPublished } from '../published-objects.js';
import { type Answer, AnswerCache, sendAnswer } from './answers.js';
import { DEFAULT_SPAN_DAYS } from './request-span.js';

/** The objects of a dataset on UTC days that a request reads. */
export interface Wanted {
  readonly dataset: Dataset;
  readonly days: readonly string[];
  /** Only the parts with this application. */
  readonly application?: string;
}

/** What the requests of the read API share: finding and reading published objects, and keeping responses made from them. */
export class PublishedReader {
  /** Listings of months, by prefix. A refresh of the platform ends them, so a page that learns of a change sees it here too. */
  private readonly listings = new Map<string, Promise<ObjectEntry[]>>();
  private listedFor: PlatformSnapshot['published'] | undefined;
  private readonly answers = new AnswerCache();

  constructor(
    private readonly store: ObjectStore,
    private readonly duck: Duck,
    private readonly view: PlatformView,
    /** URL of MLflow's pages, without a trailing slash. */
    readonly mlflowUi: string,
  ) {}

  platform(): Promise<PlatformSnapshot> {
    return this.view.current();
  }

  /** The current versions of the objects that a request reads. */
  async objects<Name extends string>(wanted: Record<Name, Wanted>): Promise<Record<Name, ObjectEntry[]>> {
    const { published: listedFor } = await this.view.current();
    if (listedFor !== this.listedFor) this.listings.clear();
    this.listedFor = listedFor;
    const found = await Promise.all(
      Object.entries<Wanted>(wanted).map(async ([name, { dataset, days, application }]) => {
        const published = await listPublished((prefix) => this.list(prefix), [dataset], days);
        const applications = application === undefined ? undefined : [application];
        return [name, await entriesOf(this.store, published, dataset, days, applications)] as const;
      }),
    );
    return Object.fromEntries(found) as Record<Name, ObjectEntry[]>;
  }

  private list(prefix: string): Promise<ObjectEntry[]> {
    const known = this.listings.get(prefix);
    if (known) return known;
    const entries = listAll(this.store, prefix);
    this.listings.set(prefix, entries);
    entries.catch(() => this.listings.delete(prefix));
    return entries;
  }

  /** Local files of these objects. */
  async files<Name extends string>(
    objects: Record<Name, readonly ObjectEntry[]>,
  ): Promise<Record<Name, string[]>> {
    const found = await Promise.all(
      Object.entries<readonly ObjectEntry[]>(objects).map(
        async ([name, entries]) => [name, await fetchFiles(this.store, entries)] as const,
      ),
    );
    return Object.fromEntries(found) as Record<Name, string[]>;
  }

  session<T>(work: (session: DuckSession) => Promise<T>): Promise<T> {
    return this.duck.session(work);
  }

  /** @param madeFrom the request and the versions of everything that `make` reads */
  async respond(
    request: Request,
    response: Response,
    madeFrom: readonly unknown[],
    make: () => Promise<Answer>,
  ): Promise<void> {
    await sendAnswer(request, response, await this.answers.get([request.path, ...madeFrom], make));
  }

  /**
   * Explains why a request finds nothing: the name is unknown, or there is just nothing in the span.
   * @throws {NotFoundException} no run of the last 30 days has that application, or logged that metric
   */
  async assertKnown(application: string, metric?: string): Promise<void> {
    const { current } = await this.view.current();
    if (!current.applications.some((each) => each.application === application)) {
      throw new NotFoundException(
        `There is no run of such an application in the last ${DEFAULT_SPAN_DAYS} days.`,
      );
    }
    if (metric === undefined) return;
    const to = Date.parse(current.to);
    const days = daysOf({ from: to - DEFAULT_SPAN_DAYS * MS_PER_DAY, to });
    const { enriched } = await this.files(
      await this.objects({ enriched: { dataset: 'enriched_metrics', days, application } }),
    );
    const found =
      enriched.length > 0 &&
      (await this.session((session) =>
        session.rows(sql(import.meta.url, './sql/known_metric.sql'), { enriched, application, metric }),
      ));
    if (!found || found.length === 0) {
      throw new NotFoundException(
        `No run of this application logged such a metric in the last ${DEFAULT_SPAN_DAYS} days.`,
      );
    }
  }
}

/** The days from the one of `first` (ISO 8601) until the end of a span, for what is newest. */
export const daysSince = (first: string, to: number): string[] =>
  daysOf({ from: Date.parse(`${dayOf(Date.parse(first))}T00:00:00Z`), to });
