import { applicationPath } from './routes.js';

/** The way back up: `Platform / fraud-scoring / recall`. The last name is the page itself. */
export function Breadcrumb({ application, metric }: { application: string; metric?: string }) {
  return (
    <nav class="breadcrumb" aria-label="Breadcrumb">
      <a href=".">Platform</a>
      <span aria-hidden="true">/</span>
      {metric === undefined ? (
        <span aria-current="page">{application}</span>
      ) : (
        <>
          <a href={applicationPath(application)}>{application}</a>
          <span aria-hidden="true">/</span>
          <span aria-current="page">{metric}</span>
        </>
      )}
    </nav>
  );
}
