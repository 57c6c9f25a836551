import { Age } from '../marks/status.jsx';
import { minuteTime } from '../words/time.js';
import { zone } from '../words/zone.js';
import type { Incident } from './open-incidents.js';

const STATES: Readonly<Record<Incident['state'], string>> = {
  pending: 'not long enough to alert',
  firing: 'firing',
  recovering: 'recovering',
  no_data: 'no data',
};

/** The state of an alert and who knows of it, as parts of a flex box. Muted or acknowledged, it is never shown as healthy. */
export function Told({ of, named = false }: { of: Incident; named?: boolean }) {
  const { rule, subject, state, muted, acknowledged, inhibited_by, digest_only, notified } = of;
  const isQuiet = muted !== null || inhibited_by !== null || digest_only || state === 'pending';
  return (
    <>
      {(named || state !== 'firing') && <span>{STATES[state]}</span>}
      {muted && (
        <span>
          muted until {minuteTime(muted.until, zone.value)} by {muted.by}
        </span>
      )}
      {acknowledged && (
        <span>
          <Age at={acknowledged.at} before={`acknowledged by ${acknowledged.by} `} after=" ago" />
        </span>
      )}
      {inhibited_by !== null && (
        <span>
          part of another alert (rule {rule}
          {subject.metric !== null && ' of the metric'})
        </span>
      )}
      {digest_only && <span>in the daily digest only</span>}
      {notified ? <Notified by={notified} /> : !isQuiet && <span>nobody notified yet</span>}
    </>
  );
}

function Notified({ by }: { by: NonNullable<Incident['notified']> }) {
  const channel = by.channel ?? by.route;
  if (by.status === 'delivered') {
    return (
      <span>
        <Age at={by.at} before={`notified ${channel} `} after=" ago" />
      </span>
    );
  }
  return (
    <span class="undelivered" title={by.error ?? undefined}>
      {by.status === 'failed'
        ? `not notified: delivery to ${channel} failed`
        : `not notified yet: delivery to ${channel} failed, another attempt follows`}
    </span>
  );
}
