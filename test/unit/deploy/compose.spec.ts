import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';

const service = z.object({
  image: z.string(),
  build: z.string().optional(),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  command: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()),
  cap_add: z.array(z.string()).optional(),
  security_opt: z.array(z.string()),
});
const { services, volumes } = z
  .object({
    services: z.object({
      monitor: service,
      store: service,
      queue: service,
      mlflow: service,
      prometheus: service,
      grafana: service,
    }),
    volumes: z.record(z.string(), z.null()),
  })
  .parse(parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true }));
const all = Object.entries(services);

describe('docker-compose.yml', () => {
  it('publishes each port once, on the loopback address only, and 3000 for the monitor', () => {
    const ports = all.flatMap(([name, { ports: own }]) => own.map((port) => ({ name, port })));
    for (const { port } of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    const outside = ports.map(({ port }) => port.split(':')[1]);
    expect(new Set(outside).size).toBe(outside.length);
    expect(ports.filter(({ port }) => port.startsWith('127.0.0.1:3000:')).map(({ name }) => name)).toEqual([
      'monitor',
    ]);
  });

  it('gives no process more rights than it needs', () => {
    for (const [name, { cap_drop, cap_add, security_opt }] of all) {
      expect([name, cap_drop, security_opt]).toEqual([name, ['ALL'], ['no-new-privileges:true']]);
      if (name !== 'queue') expect(cap_add).toBeUndefined();
    }
  });

  it('pins every image to a version, except its own build', () => {
    for (const [name, { image, build }] of all) {
      if (build) expect(name).toBe('monitor');
      else expect(image).toMatch(/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
    }
  });

  it('mounts only existing files and declared volumes', () => {
    const sources = all.flatMap(([, { volumes: mounts }]) =>
      mounts.map((mount) => mount.split(':')[0] ?? ''),
    );
    const [files, named] = [true, false].map((isFile) =>
      sources.filter((s) => s.startsWith('./') === isFile),
    );
    expect(files).not.toHaveLength(0);
    for (const file of files ?? []) expect([file, existsSync(file)]).toEqual([file, true]);
    expect([...(named ?? [])].sort()).toEqual(Object.keys(volumes).sort());
  });

  it('gives the monitor the keys and the bucket of the store', () => {
    const { environment } = services.monitor;
    const { store } = services;
    expect([store.environment.ROOT_ACCESS_KEY, store.environment.ROOT_SECRET_KEY]).toEqual([
      environment.AWS_ACCESS_KEY_ID,
      environment.AWS_SECRET_ACCESS_KEY,
    ]);
    expect(store.command.join(' ')).toContain(`mkdir -p /data/${environment.S3_BUCKET} && `);
    expect(store.command.join(' ')).toContain(`--port :${new URL(environment.S3_ENDPOINT ?? '').port} `);
  });

  it('lets Prometheus scrape the monitor, and Grafana query Prometheus and find its dashboards', () => {
    const scraped = parse(readFileSync('deploy/prometheus/prometheus.yml', 'utf8'));
    expect(scraped.scrape_configs[0].static_configs[0].targets).toEqual(['monitor:3000']);
    const folder = 'deploy/grafana/provisioning';
    const sources = parse(readFileSync(`${folder}/datasources/prometheus.yml`, 'utf8'));
    expect(sources.datasources[0].url).toBe('http://prometheus:9090');
    const { providers } = parse(readFileSync(`${folder}/dashboards/mlflow-monitor.yml`, 'utf8'));
    const mounts = services.grafana.volumes.map((mount) => mount.split(':').slice(0, 2));
    expect(mounts).toContainEqual(['./deploy/grafana/dashboards', providers[0].options.path]);
    expect(mounts).toContainEqual([`./${folder}`, '/etc/grafana/provisioning']);
    const home = services.grafana.environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH ?? '';
    expect(existsSync(home.replace(providers[0].options.path, 'deploy/grafana/dashboards'))).toBe(true);
  });
});
