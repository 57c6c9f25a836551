/** Of every response. What is shown in a browser replaces the policy by one of its own. */
export const RESPONSE_HEADERS = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  // Pages of other sites cannot load it as a picture or a script either. Without TLS, browsers do not send `Sec-Fetch-Site`.
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;
