import { NotFoundException, ServiceUnavailableException } from '@nestjs/common';
import { z } from 'zod';
import { MonitorError } from '../../../src/domain/errors.js';
import { InvalidRequest, problemOf } from '../../../src/http/problem.js';

describe('an error as problem details', () => {
  it('has the title of its status and the message as detail', () => {
    expect(problemOf(new NotFoundException('No such run'))).toEqual({
      status: 404,
      title: 'Not Found',
      detail: 'No such run',
    });
    expect(problemOf(new ServiceUnavailableException('A job is stalled'))).toMatchObject({ status: 503 });
  });

  it('points at the invalid parts of a request', () => {
    const schema = z.object({ 'a/b': z.array(z.object({ 'c~': z.number('a number') })) });
    const { issues } = schema['~standard'].validate({ 'a/b': [{ 'c~': 'x' }] }) as {
      issues: readonly { message: string; path: PropertyKey[] }[];
    };
    expect(problemOf(new InvalidRequest(issues))).toEqual({
      status: 400,
      title: 'Bad Request',
      detail: 'The request is not valid.',
      errors: [{ pointer: '#/a~1b/0/c~0', detail: 'a number' }],
    });
  });

  it('shows the message of errors of the client, and only the code of errors of the service', () => {
    expect(problemOf(new MonitorError('unknown_backfill', 'There is no backfill "x".'))).toEqual({
      status: 404,
      title: 'Not Found',
      detail: 'There is no backfill "x".',
      code: 'unknown_backfill',
    });
    const unreachable = new MonitorError('store_io', 'Cannot read /home/me/data', {}, true);
    expect(problemOf(unreachable)).toMatchObject({ status: 503, code: 'store_io' });
    expect(JSON.stringify(problemOf(unreachable))).not.toContain('/home/me');
    expect(problemOf(new MonitorError('broken_document', '/home/me'))).toMatchObject({ status: 500 });
    expect(JSON.stringify(problemOf(new TypeError('secret')))).not.toContain('secret');
    expect(problemOf(new TypeError('secret')).status).toBe(500);
  });

  it('keeps the 4xx status of a parser', () => {
    expect(problemOf(Object.assign(new Error('request entity too large'), { status: 413 }))).toEqual({
      status: 413,
      title: 'Payload Too Large',
      detail: 'request entity too large',
    });
    expect(problemOf(Object.assign(new Error('x'), { status: 502 })).status).toBe(500);
  });
});
