/** `encodeURIComponent` throws an error if a text has half a surrogate pair. */
const encode = (name: string): string => encodeURIComponent(name.replaceAll(/[\uD800-\uDFFF]/gu, '\uFFFD'));

/**
 * The paths of the page, relative to the address of the service. Names are single encoded segments, so that they may contain
 * slashes.
 */
export const applicationPath = (application: string): string => `app/${encode(application)}`;
export const metricPath = (application: string, metric: string): string =>
  `${applicationPath(application)}/metric/${encode(metric)}`;
/** The page of an incident, which asks before it mutes or acknowledges: chat programs request links by themselves. */
export const incidentPath = (id: string): string => `alerts/${encode(id)}`;
