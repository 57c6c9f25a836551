import { firstLine } from '../../../src/domain/alerts/first-line.js';
import { incidentPath } from '../../../src/domain/page-paths.js';
import { serviceTime } from '../service/clock.js';
import { alerts } from '../service/events.js';
import { readerZone } from '../words/zone.js';
import { AlertList } from './list.jsx';
import { type Incident, openIncidents } from './open-incidents.js';
import { Told } from './told.jsx';

/** What a message about an incident says first, and who knows of it. */
export function Summary({ of, level: Heading }: { of: Incident; level: 'h2' | 'h3' }) {
  return (
    <>
      <Heading>
        <a href={incidentPath(of.id)}>
          {firstLine(of, of.state === 'no_data' ? 'no_data' : 'fired', serviceTime.value, readerZone.value)}
        </a>
      </Heading>
      <p class="told">
        <Told of={of} named />
      </p>
    </>
  );
}

/** The open alerts of an application; nothing if there are none. */
export function ApplicationAlerts({ application }: { application: string }) {
  const open = openIncidents(alerts.value.data, application);
  if (open.length === 0) return null;
  return (
    <section aria-labelledby="alerts">
      <h2 id="alerts">Alerts</h2>
      <AlertList
        of={open}
        row={(each) => (
          <li key={each.id} class="what">
            <Summary of={each} level="h3" />
          </li>
        )}
      />
    </section>
  );
}
