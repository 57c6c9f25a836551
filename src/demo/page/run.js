/** Shows the run that the URL names, from the server's REST API. */
async function show() {
  const [, experiment, runId] = /^#\/experiments\/([^/]+)\/runs\/([^/]+)$/.exec(location.hash) ?? [];
  const [title, about, tables] = ['h1', '#about', '#tables'].map((selector) =>
    document.querySelector(selector),
  );
  tables.replaceChildren();
  title.textContent = 'Run';
  about.textContent = 'This URL does not name a run.';
  if (!runId) return;
  const response = await fetch(`/api/2.0/mlflow/runs/get?run_id=${runId}`);
  const body = await response.json();
  about.textContent = body.message ?? '';
  if (!response.ok) return;
  const { info, data } = body.run;
  title.textContent = info.run_name ?? info.run_id;
  about.textContent = `Run ${info.run_id} of experiment ${decodeURIComponent(experiment)}, ${info.status}, started ${new Date(info.start_time).toISOString()}`;
  for (const name of ['metrics', 'params', 'tags']) tables.append(createTable(name, data[name] ?? []));
}

function createTable(name, rows) {
  const table = document.createElement('table');
  table.createCaption().textContent = name;
  for (const { key, value } of rows) {
    const row = table.insertRow();
    const header = document.createElement('th');
    header.scope = 'row';
    header.textContent = key;
    row.append(header);
    row.insertCell().textContent = value;
  }
  return table;
}

addEventListener('hashchange', show);
show();
