import { Code, ConnectError } from '@connectrpc/connect'
import { expect, it } from 'vitest'
import { Actions } from './actions'

it('knows what is pending and what went wrong', async () => {
  const actions = new Actions()
  let fail: (error: Error) => void = () => undefined
  const done = actions.run('start', () => new Promise((_, reject) => (fail = reject)))
  expect(actions.of('start')).toEqual({ pending: true, problem: null })
  expect(await actions.run('start', () => Promise.resolve(1))).toBeNull()
  fail(new ConnectError('no room', Code.FailedPrecondition))
  expect(await done).toBeNull()
  expect(actions.of('start').problem?.message).toBe('no room')
  expect(await actions.run('start', () => Promise.resolve(7))).toBe(7)
  expect(actions.of('start')).toEqual({ pending: false, problem: null })
})
