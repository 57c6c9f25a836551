import { Breadcrumb } from './breadcrumb.jsx';

/** The page of a name that no run of the last days has. */
export function NoSuch({ what, name, application }: { what: string; name: string; application?: string }) {
  return (
    <>
      <Breadcrumb application={application ?? name} {...(application ? { metric: name } : {})} />
      <section class="empty">
        <h1>
          There is no {what} “{name}”
        </h1>
        <p>
          No run of the last 30 days has this {what}. It may be spelled differently, or its experiment may be
          excluded (<code>EXPERIMENT_EXCLUDE</code>). <a href=".">See all applications</a>
        </p>
      </section>
    </>
  );
}
