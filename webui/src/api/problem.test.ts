import { create } from '@bufbuild/protobuf'
import { Code, ConnectError } from '@connectrpc/connect'
import { expect, it } from 'vitest'
import { ErrorSchema } from './gen/llmd/v1/jobs_pb'
import { toProblem } from './problem'

it('takes sentence and next step out of the details', () => {
  const detail = create(ErrorSchema, {
    code: 'repository_not_found',
    message: "repository 'acme/none' does not exist",
    nextStep: 'Check the spelling.',
  })
  const error = new ConnectError('raw', Code.NotFound, undefined, [
    { desc: ErrorSchema, value: detail },
  ])
  expect(toProblem(error)).toEqual({
    kind: 'refused',
    code: 'repository_not_found',
    message: "repository 'acme/none' does not exist",
    nextStep: 'Check the spelling.',
  })
})

it.each([
  [new ConnectError('x', Code.Unavailable), 'away'],
  [ConnectError.from(new TypeError('Failed to fetch')), 'away'],
  [new TypeError('network error'), 'away'],
  [new ConnectError('missing trailer', Code.Unknown), 'away'],
  [new ConnectError('no token', Code.Unauthenticated), 'token'],
  [new ConnectError('too slow', Code.ResourceExhausted), 'behind'],
  [new DOMException('aborted', 'AbortError'), 'cancelled'],
  [new ConnectError('no such model', Code.NotFound), 'refused'],
])('%s is %s', (error, kind) => {
  expect(toProblem(error).kind).toBe(kind)
})

it('does not take a hub that is down for llmd being away', () => {
  const detail = create(ErrorSchema, { code: 'hub_unreachable', message: 'no network' })
  const error = new ConnectError('x', Code.Unavailable, undefined, [
    { desc: ErrorSchema, value: detail },
  ])
  expect(toProblem(error)).toMatchObject({ kind: 'refused', code: 'hub_unreachable' })
})

it('names the code when there is no detail', () => {
  const problem = toProblem(new ConnectError('nope', Code.FailedPrecondition))
  expect(problem).toMatchObject({ code: 'failed_precondition', message: 'nope' })
})
