/** Changes something about alerts, as the admin that this browser is signed in as. @returns the problem; null if it is done */
export async function sendAction(path: string, body: object): Promise<string | null> {
  try {
    const response = await fetch(`/api/v1/admin/alerts/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    });
    if (response.ok) return null;
    if (response.status === 401) {
      location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
      return 'Sign in as an admin first.';
    }
    const { detail } = (await response.json()) as { detail?: string };
    return detail ?? `The service answered ${response.status}.`;
  } catch {
    return 'The service does not answer.';
  }
}
