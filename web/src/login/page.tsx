import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { queryOf } from '../frame/router.js';
import { problemOf, send } from '../service/send.js';
import { nextPath } from './next-path.js';

/** Signs the browser in as an admin, or out again. */
export function LoginPage() {
  const admin = useSignal<string | null>(null);
  const problem = useSignal(queryOf('expired') === null ? '' : 'That link was used or has expired.');
  useEffect(() => {
    void send('GET', 'api/v1/session').then((session) => {
      admin.value = session.admin ?? null;
    });
  }, []);
  const signOut = async () => {
    await send('POST', 'api/v1/logout');
    admin.value = null;
  };
  if (admin.value !== null) {
    return (
      <section class="login">
        <h1>Signed in as admin “{admin.value}”</h1>
        <p>This browser may use the queues and change things.</p>
        <p class="actions">
          <a href={nextPath(queryOf('next'))}>Continue</a>
          <button type="button" onClick={signOut}>
            Sign out
          </button>
        </p>
      </section>
    );
  }
  const signIn = async (event: Event) => {
    event.preventDefault();
    const { token } = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement));
    const answer = await send('POST', 'api/v1/login', { token: String(token).trim() });
    if (answer.admin) location.assign(nextPath(queryOf('next')));
    else problem.value = problemOf(answer);
  };
  return (
    <section class="login">
      <h1>Sign in as admin</h1>
      <p>Reading needs no login. Queues, backfills and other changes need an admin token.</p>
      <form onSubmit={signIn}>
        <label>
          Admin token
          <input name="token" type="password" autocomplete="current-password" required />
        </label>
        <button type="submit">Sign in</button>
        <p class="problem" role="alert">
          {problem.value}
        </p>
      </form>
      <p class="hint">
        On the machine of the service, <code>mlflow-monitor login</code> prints a link that signs you in.
        Without <code>ADMIN_TOKEN_SHA256_FILE</code>, the token is in <code>STORAGE_DIR/admin-token</code>.
      </p>
    </section>
  );
}
