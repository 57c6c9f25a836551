import { useSignal } from '@preact/signals';
import type { Alerts } from '../../../src/alerts/load-alerts.js';
import { firstLine } from '../../../src/domain/alerts/first-line.js';
import { incidentPath } from '../../../src/domain/page-paths.js';
import { Panel } from '../frame/panel.jsx';
import { applicationPath, metricPath } from '../frame/routes.js';
import { useTitle } from '../frame/title.js';
import { Age } from '../marks/status.jsx';
import { serviceTime } from '../service/clock.js';
import { useResource } from '../service/resource.js';
import { readerZone } from '../words/zone.js';
import { noiseWords } from './noise-words.js';
import { sendAction } from './send-action.js';

type Incident = Alerts['incidents'][number];

const PATH = '/api/v1/alerts';
const HEIGHT = 320;
const HOURS = [1, 4, 24, 72, 168];

/** All incidents that are not ok, or one of them, which can be muted and acknowledged here. */
export function AlertsPage({ incident }: { incident: string | null }) {
  const alerts = useResource<Alerts>(PATH);
  useTitle('Alerts');
  return (
    <Panel of={alerts} name="The list of alerts" height={HEIGHT}>
      {(data) => {
        const shown = data.incidents.filter(({ id }) => incident === null || id === incident);
        return (
          <section aria-labelledby="alerts">
            <h1 id="alerts">Alerts</h1>
            {data.policy_problem && (
              <p class="problem" role="alert">
                The last good policy is in use: {data.policy_problem}
              </p>
            )}
            {shown.length === 0 && <Nothing data={data} one={incident !== null} />}
            <ul class="attention alerts">
              {shown.map((each) => (
                <Row
                  key={each.id}
                  each={each}
                  noise={data.noise.find(({ rule }) => rule === each.rule)}
                  open={incident !== null}
                  reload={alerts.reload}
                />
              ))}
            </ul>
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
      This incident has ended. <a href="/alerts">See all alerts</a>
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
  const { subject, evidence, owner, runbook } = each;
  const news = each.state === 'no_data' ? 'no_data' : 'fired';
  return (
    <li>
      <div class="what">
        <h3>
          <a href={incidentPath(each.id)}>{firstLine(each, news, serviceTime.value, readerZone.value)}</a>
        </h3>
        <p>
          <State each={each} />
        </p>
        {open && evidence.why && <p>{evidence.why}</p>}
        {open && noise && <p>{noiseWords(noise)}</p>}
        <p class="evidence">
          {owner && <span>{owner}</span>}
          {subject.application !== null && <a href={applicationPath(subject.application)}>Application</a>}
          {subject.application !== null && subject.metric !== null && (
            <a href={metricPath(subject.application, subject.metric)}>Metric</a>
          )}
          {runbook && <a href={runbook}>Runbook</a>}
        </p>
        {open && <Actions each={each} reload={reload} />}
      </div>
    </li>
  );
}

const STATES: Readonly<Record<Incident['state'], string>> = {
  pending: 'not long enough to alert',
  firing: 'firing',
  recovering: 'recovering',
  no_data: 'no data',
};

/** The state, and who knows of it. Muted is never shown as healthy. */
function State({ each }: { each: Incident }) {
  const { muted, acknowledged, inhibited_by, notified, digest_only } = each;
  return (
    <>
      {STATES[each.state]}
      {muted &&
        ` · muted by ${muted.by} until ${muted.until.slice(0, 16).replace('T', ' ')} UTC: ${muted.reason}`}
      {acknowledged && ` · acknowledged by ${acknowledged.by}`}
      {inhibited_by !== null && ' · part of another alert'}
      {notified?.status === 'failed' && ` · delivery failed: ${notified.error ?? notified.route}`}
      {notified?.status === 'delivered' && (
        <Age at={notified.at} before={` · notified ${notified.channel ?? notified.route} `} after=" ago" />
      )}
      {digest_only && ' · in the digest only'}
    </>
  );
}

function Actions({ each, reload }: { each: Incident; reload: () => void }) {
  const problem = useSignal('');
  const act = async (path: string, body: object) => {
    problem.value = (await sendAction(path, body)) ?? '';
    reload();
  };
  const mute = (event: Event) => {
    event.preventDefault();
    const { hours, reason } = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement));
    const until = new Date(serviceTime.value + Number(hours) * 3_600_000).toISOString();
    void act('mutes', { incident: each.id, until, reason });
  };
  return (
    <div class="login">
      <form onSubmit={mute}>
        <label>
          Mute for
          <select name="hours">
            {HOURS.map((hours) => (
              <option key={hours} value={hours}>
                {hours < 24 ? `${hours} h` : `${hours / 24} d`}
              </option>
            ))}
          </select>
        </label>
        <label>
          Reason
          <input name="reason" required maxLength={500} />
        </label>
        <p class="actions">
          <button type="submit">Mute this incident</button>
          {!each.acknowledged && (
            <button type="button" onClick={() => act('acknowledgements', { incident: each.id })}>
              Acknowledge
            </button>
          )}
        </p>
        <p class="problem" role="alert">
          {problem.value}
        </p>
      </form>
    </div>
  );
}
