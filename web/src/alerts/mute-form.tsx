import { useSignal } from '@preact/signals';
import { serviceTime } from '../service/clock.js';
import { zoneName } from '../words/time.js';
import { inUtc, zone } from '../words/zone.js';
import { muteEnd, muteTargets, UNTIL_DATE } from './mute-targets.js';
import type { Incident } from './open-incidents.js';

const PRESETS = [
  ['1', '1 hour'],
  ['4', '4 hours'],
  ['24', '1 day'],
  ['168', '7 days'],
  [UNTIL_DATE, 'Until a date'],
] as const;

/**
 * Asks what to mute, until when and why.
 * @param mute sends the request. @returns whether it is done
 */
export function MuteForm({
  incident,
  mute,
}: {
  incident: Incident;
  mute: (request: object) => Promise<boolean>;
}) {
  const hours = useSignal<string>(PRESETS[0][0]);
  const targets = muteTargets(incident);
  const submit = async (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const { what, date, reason } = Object.fromEntries(new FormData(form));
    const until = muteEnd(hours.value, String(date), serviceTime.value, inUtc.value);
    if (!(await mute({ ...targets[Number(what)]?.request, until, reason }))) return;
    hours.value = PRESETS[0][0];
    form.reset();
  };
  return (
    <form class="mute" onSubmit={submit}>
      <fieldset>
        <legend>Mute</legend>
        {targets.map(({ label }, i) => (
          <label key={label}>
            <input type="radio" name="what" value={i} defaultChecked={i === 0} /> {label}
          </label>
        ))}
      </fieldset>
      <label>
        For
        <select
          value={hours.value}
          onChange={({ currentTarget }) => {
            hours.value = currentTarget.value;
          }}
        >
          {PRESETS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      {hours.value === UNTIL_DATE && (
        <label>
          Date and time, {zoneName(serviceTime.value, zone.value)}
          <input type="datetime-local" name="date" required />
        </label>
      )}
      <label>
        Reason
        <input name="reason" required maxLength={500} pattern=".*\S.*" title="Say why, for others" />
      </label>
      <p>
        <button type="submit">Mute</button>
      </p>
    </form>
  );
}
