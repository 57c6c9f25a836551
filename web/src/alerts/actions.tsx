import { useSignal } from '@preact/signals';
import { activeMutes, isMuteOf, type Mute } from '../../../src/domain/alerts/actions.js';
import { serviceTime } from '../service/clock.js';
import { useResource } from '../service/resource.js';
import { minuteTime } from '../words/time.js';
import { zone } from '../words/zone.js';
import { changeAlerts, loginPath } from './change-alerts.js';
import { MuteForm } from './mute-form.jsx';
import { mutedText } from './mute-targets.js';
import type { Incident } from './open-incidents.js';

/**
 * What an admin can change; others get a link to sign in.
 * @param incident null: only ends mutes
 * @param reload requests the alerts again
 */
export function Actions({ incident, reload }: { incident: Incident | null; reload: () => void }) {
  const { data: session } = useResource<{ readonly admin: string | null }>('api/v1/session');
  const isAdmin = typeof session?.admin === 'string';
  const mutes = useResource<{ readonly mutes: readonly Mute[] }>(
    isAdmin ? 'api/v1/admin/alerts/mutes' : null,
  );
  const problem = useSignal('');
  if (!session) return null;
  if (!isAdmin) {
    return (
      incident && (
        <p>
          <a href={loginPath()}>Sign in to mute or acknowledge</a>
        </p>
      )
    );
  }
  const change = async (...request: Parameters<typeof changeAlerts>) => {
    const failed = await changeAlerts(...request);
    problem.value = failed ?? '';
    reload();
    mutes.reload();
    return failed === null;
  };
  const active = activeMutes(mutes.data?.mutes ?? [], serviceTime.value).filter(
    (each) => incident === null || isMuteOf(each, incident),
  );
  return (
    <div class="alert-actions">
      {incident && !incident.acknowledged && (
        <p>
          <button type="button" onClick={() => change('POST', 'acknowledgements', { incident: incident.id })}>
            Acknowledge
          </button>{' '}
          <span class="quiet">ends its repetitions</span>
        </p>
      )}
      {active.length > 0 && (
        <Mutes
          of={active}
          one={incident ? 'This alert' : 'One alert'}
          end={({ id }) => change('DELETE', `mutes/${id}`)}
        />
      )}
      {incident && <MuteForm incident={incident} mute={(request) => change('POST', 'mutes', request)} />}
      <p class="problem" role="alert">
        {problem.value}
      </p>
    </div>
  );
}

function Mutes({ of, one, end }: { of: readonly Mute[]; one: string; end: (mute: Mute) => void }) {
  return (
    <ul class="mutes" aria-label="Mutes">
      {of.map((each) => (
        <li key={each.id}>
          {mutedText(each, one)}: muted until {minuteTime(each.until, zone.value)} by {each.by}, {each.reason}{' '}
          <button type="button" onClick={() => end(each)} aria-label={`Unmute: ${mutedText(each, one)}`}>
            Unmute
          </button>
        </li>
      ))}
    </ul>
  );
}
