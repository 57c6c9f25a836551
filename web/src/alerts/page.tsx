import type { Alerts } from '../../../src/alerts/load-alerts.js';
import { Panel } from '../frame/panel.jsx';
import { applicationPath, metricPath } from '../frame/routes.js';
import { useTitle } from '../frame/title.js';
import { Age } from '../marks/status.jsx';
import { useResource } from '../service/resource.js';
import { Actions } from './actions.jsx';
import { AlertList } from './list.jsx';
import { noiseWords } from './noise-words.js';
import type { Incident } from './open-incidents.js';
import { Summary } from './summary.jsx';

const PATH = 'api/v1/alerts';
const HEIGHT = 320;

/** All incidents that are not ok, or one of them, which can be muted and acknowledged here. */
export function AlertsPage({ incident }: { incident: string | null }) {
  const alerts = useResource<Alerts>(PATH);
  useTitle('Alerts');
  return (
    <Panel of={alerts} name="The list of alerts" height={HEIGHT}>
      {(data) => {
        const shown = data.incidents.filter(({ id }) => incident === null || id === incident);
        return (
          <section class="alerts-page" aria-labelledby="alerts">
            <h1 id="alerts">{incident === null ? 'Alerts' : 'Alert'}</h1>
            {data.problems.map((problem) => (
              <p key={problem} class="problem" role="alert">
                {problem}
              </p>
            ))}
            {shown.length === 0 && <Nothing data={data} one={incident !== null} />}
            <AlertList
              of={shown}
              row={(each) => (
                <Row
                  key={each.id}
                  each={each}
                  noise={data.noise.find(({ rule }) => rule === each.rule)}
                  open={incident !== null}
                  reload={alerts.reload}
                />
              )}
            />
            {incident === null && <Actions incident={null} reload={alerts.reload} />}
          </section>
        );
      }}
    </Panel>
  );
}

function Nothing({ data, one }: { data: Alerts; one: boolean }) {
  if (data.evaluated_to === null) return <p>Nothing is evaluated yet: the first delta is not finished.</p>;
  return one ? (
    <p>
      This incident has ended. <a href="alerts">See all alerts</a>
    </p>
  ) : (
    <p>
      Nothing fires. Last evaluated <Age at={data.evaluated_to} after=" ago" />.
    </p>
  );
}

interface RowProps {
  each: Incident;
  noise: Alerts['noise'][number] | undefined;
  /** Whether it is the only one, with all that is known. */
  open: boolean;
  reload: () => void;
}

function Row({ each, noise, open, reload }: RowProps) {
  const { subject, evidence, owner, runbook, muted, notified } = each;
  return (
    <li>
      <div class="what">
        <Summary of={each} level="h2" />
        {open && evidence.why && <p>{evidence.why}</p>}
        {open && noise && <p>{noiseWords(noise)}</p>}
        {open && muted && <p>Reason of the mute: {muted.reason}</p>}
        {open && notified?.error && <p>The delivery failed: {notified.error}</p>}
        <p class="evidence">
          {owner && <span>{owner}</span>}
          {subject.application !== null && <a href={applicationPath(subject.application)}>Application</a>}
          {subject.application !== null && subject.metric !== null && (
            <a href={metricPath(subject.application, subject.metric)}>Metric</a>
          )}
          {runbook && <a href={runbook}>Runbook</a>}
          {open && <a href="alerts">All alerts</a>}
        </p>
        {open && <Actions incident={each} reload={reload} />}
      </div>
    </li>
  );
}
