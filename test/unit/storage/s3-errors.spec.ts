import { inspect } from 'node:util';
import { PreconditionFailedError, StoreError } from '../../../src/storage/errors.js';
import { outcomeOf, retryAfterHeader, storeErrorOf } from '../../../src/storage/s3-errors.js';

const response = (status: number, name: string, rest: object = {}) =>
  Object.assign(new Error('no'), { name, $metadata: { httpStatusCode: status }, ...rest });

describe('errors of the S3 store', () => {
  it.each([
    [response(404, 'NoSuchKey'), 'not_found'],
    [response(404, 'NotFound'), 'not_found'],
    [response(404, 'NoSuchBucket'), 'rejected'],
    [response(412, 'PreconditionFailed'), 'condition_failed'],
    [response(403, 'AccessDenied'), 'rejected'],
    [response(400, 'InvalidArgument'), 'rejected'],
    [response(400, 'RequestTimeout'), 'ambiguous'],
    [response(409, 'ConditionalRequestConflict'), 'ambiguous'],
    [response(429, 'TooManyRequests'), 'ambiguous'],
    [response(500, 'InternalError'), 'ambiguous'],
    [response(501, 'NotImplemented'), 'rejected'],
    [response(503, 'SlowDown'), 'ambiguous'],
    [response(200, 'SyntaxError'), 'ambiguous'],
    [Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' }), 'ambiguous'],
    [new StoreError('store_io', 'no', {}, true), 'rejected'],
    ['a text', 'ambiguous'],
  ])('%s is %s', (error, outcome) => {
    expect(outcomeOf(error)).toBe(outcome);
  });

  it.each([
    ['CredentialsProviderError', 'store_credentials'],
    ['TimeoutError', 'store_unreachable'],
  ])('without a response have their own code and are retryable: %s', (name, code) => {
    const error = storeErrorOf(Object.assign(new Error('why'), { name }), 's3://b', 'get', 'a');
    expect(error).toMatchObject({ code, retryable: true, message: 'Cannot get a of s3://b: why' });
  });

  it('contain the response of the store and nothing of the request', () => {
    const request = { headers: { authorization: 'AWS4-HMAC-SHA256 Credential=key' } };
    const error = storeErrorOf(
      response(403, 'AccessDenied', { $response: { request } }),
      's3://b',
      'list',
      '',
    );
    expect(error).toMatchObject({ code: 'store_denied', retryable: false, context: { status: 403 } });
    expect(error.message).toBe('Cannot list the objects of s3://b: 403 AccessDenied: no');
    expect(inspect(error, { depth: 9 })).not.toContain('Credential');
    expect(storeErrorOf(response(412, 'PreconditionFailed'), 's3://b', 'put', 'a')).toBeInstanceOf(
      PreconditionFailedError,
    );
  });

  it('do not contain what the request was authorized with, although the store repeats it', () => {
    const echo =
      'denied: Credential=AKIA/20260310, Signature=0123abcd, x-amz-security-token: session/token+==, k3y-of-s3';
    const failed = Object.assign(response(503, 'k3y-of-s3'), { message: echo });
    const error = storeErrorOf(failed, 's3://b', 'get', 'a', ['k3y-of-s3', 'session/token+==']);
    expect(error.message).toBe(
      'Cannot get a of s3://b: 503 ***: denied: Credential=AKIA/20260310, Signature=***, x-amz-security-token: ***, ***',
    );
    expect(error.context.name).toBe('***');
  });

  it('give the Retry-After header of the response', () => {
    const withHeaders = (headers: object) => response(503, 'SlowDown', { $response: { headers } });
    expect(retryAfterHeader(withHeaders({ 'retry-after': '5' }))).toBe('5');
    expect(retryAfterHeader(withHeaders({}))).toBeUndefined();
    expect(retryAfterHeader(new Error('socket hang up'))).toBeUndefined();
  });
});
