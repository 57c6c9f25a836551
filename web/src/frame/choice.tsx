import { withQuery } from './router.js';

/** Buttons for a parameter of the address with a few values. They are links, so that each choice has an address. */
export function Choice({
  label,
  name,
  values,
  chosen,
  text,
}: {
  label: string;
  name: string;
  values: readonly string[];
  chosen: string | null;
  text: (value: string) => string;
}) {
  return (
    <nav class="choice" aria-label={label}>
      {values.map((value) => (
        <a
          key={value}
          href={withQuery({ [name]: value, from: null, to: null })}
          aria-current={value === chosen ? 'true' : undefined}
        >
          {text(value)}
        </a>
      ))}
    </nav>
  );
}
