import { wellFormed } from './text.js';

/**
 * A name as one segment of a path. Browsers and proxies resolve the segments `.` and `..`, also if they are percent-encoded, and
 * proxies may decode `%2F` before. So a part of a name that is one of these gets a tilde: `~.`, and `~~.` stands for `~.`.
 */
const encode = (name: string): string =>
  encodeURIComponent(wellFormed(name).replaceAll(/(^|[/\\])(?=~*\.{1,2}(?:$|[/\\]))/g, '$1~'));

/**
 * The name that a segment stands for.
 * @throws {URIError} it is not percent-encoded UTF-8
 */
export const nameOfSegment = (segment: string): string =>
  decodeURIComponent(segment).replaceAll(/(^|[/\\])~(?=~*\.{1,2}(?:$|[/\\]))/g, '$1');

/**
 * The paths of the page, relative to the address of the service. Names are single encoded segments, so that they may contain
 * slashes.
 */
export const applicationPath = (application: string): string => `app/${encode(application)}`;
export const metricPath = (application: string, metric: string): string =>
  `${applicationPath(application)}/metric/${encode(metric)}`;
/** The page of an incident, which asks before it mutes or acknowledges: chat programs request links by themselves. */
export const incidentPath = (id: string): string => `alerts/${encode(id)}`;
