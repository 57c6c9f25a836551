import { inspect } from 'node:util';
import { PreconditionFailedError, StoreError } from '../../../src/storage/errors.js';
import { outcomeOf, retryAfter, storeErrorOf } from '../../../src/storage/s3-errors.js';

const answer = (status: number, name: string, rest: object = {}) =>
  Object.assign(new Error('no'), { name, $metadata: { httpStatusCode: status }, ...rest });

describe('errors of the S3 store', () => {
  it.each([
    [answer(404, 'NoSuchKey'), 'absent'],
    [answer(404, 'NotFound'), 'absent'],
    [answer(404, 'NoSuchBucket'), 'refused'],
    [answer(412, 'PreconditionFailed'), 'lost'],
    [answer(403, 'AccessDenied'), 'refused'],
    [answer(400, 'InvalidArgument'), 'refused'],
    [answer(400, 'RequestTimeout'), 'unclear'],
    [answer(409, 'ConditionalRequestConflict'), 'unclear'],
    [answer(429, 'TooManyRequests'), 'unclear'],
    [answer(500, 'InternalError'), 'unclear'],
    [answer(501, 'NotImplemented'), 'refused'],
    [answer(503, 'SlowDown'), 'unclear'],
    [answer(200, 'SyntaxError'), 'unclear'],
    [Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), 'unclear'],
    [new StoreError('store_io', 'no', {}, true), 'refused'],
    ['a text', 'unclear'],
  ])('%s is %s', (error, outcome) => {
    expect(outcomeOf(error)).toBe(outcome);
  });

  it.each([
    ['CredentialsProviderError', 'store_credentials'],
    ['TimeoutError', 'store_unreachable'],
  ])('without an answer have a code of their own and may pass: %s', (name, code) => {
    const error = storeErrorOf(Object.assign(new Error('why'), { name }), 's3://b', 'get', 'a');
    expect(error).toMatchObject({ code, retryable: true, message: 'Cannot get a of s3://b: why' });
  });

  it('say what the store answered, and hold on to nothing of the request', () => {
    const request = { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=key' } };
    const error = storeErrorOf(answer(403, 'AccessDenied', { $response: { request } }), 's3://b', 'list', '');
    expect(error).toMatchObject({ code: 'store_denied', retryable: false, context: { status: 403 } });
    expect(error.message).toBe('Cannot list the objects of s3://b: 403 AccessDenied: no');
    expect(inspect(error, { depth: 9 })).not.toContain('Credential');
    expect(storeErrorOf(answer(412, 'PreconditionFailed'), 's3://b', 'put', 'a')).toBeInstanceOf(
      PreconditionFailedError,
    );
  });

  it.each([
    ['5', 5_000],
    ['Thu, 01 Jan 1970 00:01:00 GMT', 59_000],
    ['Wed, 31 Dec 1969 00:00:00 GMT', 0],
    ['soon', undefined],
    [undefined, undefined],
  ])('read Retry-After: %s', (header, expected) => {
    const headers = header === undefined ? {} : { 'retry-after': header };
    expect(retryAfter(answer(503, 'SlowDown', { $response: { headers } }), 1_000)).toBe(expected);
  });
});
