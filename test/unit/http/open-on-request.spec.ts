import { jest } from '@jest/globals';
import type { Request, RequestHandler, Response } from 'express';
import { openOnRequest } from '../../../src/http/open-on-request.js';

describe('a middleware that is opened on request', () => {
  const request = {} as Request;
  const response = {} as Response;
  const next = () => undefined;
  const handle = jest.fn<RequestHandler>();
  const open = jest.fn<() => Promise<RequestHandler>>();
  beforeEach(() => {
    jest.resetAllMocks();
    open.mockResolvedValue(handle);
  });

  it('is opened once, by the first request, for all that come meanwhile and later', async () => {
    const middleware = openOnRequest(open);
    expect(open).not.toHaveBeenCalled();
    await Promise.all([middleware(request, response, next), middleware(request, response, next)]);
    await middleware(request, response, next);
    expect(open).toHaveBeenCalledTimes(1);
    expect(handle.mock.calls).toEqual([1, 2, 3].map(() => [request, response, next]));
  });

  it('is opened again by the next request if that failed', async () => {
    open.mockRejectedValueOnce(new Error('too many open files'));
    const middleware = openOnRequest(open);
    await expect(middleware(request, response, next)).rejects.toThrow('too many open files');
    expect(handle).not.toHaveBeenCalled();
    await middleware(request, response, next);
    expect(open).toHaveBeenCalledTimes(2);
    expect(handle).toHaveBeenCalledTimes(1);
  });
});
