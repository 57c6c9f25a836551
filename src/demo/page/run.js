/** Shows the run that the address names, as the server's REST interface answers. */
async function show() {
  const [, experiment, run] = /^#\/experiments\/([^/]+)\/runs\/([^/]+)$/.exec(location.hash) ?? [];
  const [title, about, tables] = ['h1', '#about', '#tables'].map((part) => document.querySelector(part));
  tables.replaceChildren();
  title.textContent = 'A run';
  about.textContent = 'The address names no run.';
  if (!run) return;
  const answer = await fetch(`/api/2.0/mlflow/runs/get?run_id=${run}`);
  const found = await answer.json();
  about.textContent = found.message ?? '';
  if (!answer.ok) return;
  const { info, data } = found.run;
  title.textContent = info.run_name ?? info.run_id;
  about.textContent = `Run ${info.run_id} of experiment ${decodeURIComponent(experiment)}, ${info.status}, started ${new Date(info.start_time).toISOString()}`;
  for (const name of ['metrics', 'params', 'tags']) tables.append(table(name, data[name] ?? []));
}

function table(name, rows) {
  const made = document.createElement('table');
  made.createCaption().textContent = name;
  for (const { key, value } of rows) {
    const row = made.insertRow();
    const head = document.createElement('th');
    head.scope = 'row';
    head.textContent = key;
    row.append(head);
    row.insertCell().textContent = value;
  }
  return made;
}

addEventListener('hashchange', show);
show();
