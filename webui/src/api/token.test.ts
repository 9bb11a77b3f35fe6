import { beforeEach, expect, it } from 'vitest'
import { cleanToken, currentToken, forgetToken, takeTokenFromAddress, tokenInHash } from './token'

const token = 'ab'.repeat(32)

beforeEach(() => {
  forgetToken()
  window.history.replaceState(null, '', '/')
})

it('takes the token out of the address', () => {
  window.history.replaceState(null, '', `/?a=1#token=${token}`)
  expect(takeTokenFromAddress()).toBe(true)
  expect(window.location.href).not.toContain(token)
  expect(window.location.search).toBe('?a=1')
  expect(currentToken()).toBe(token)
  expect(window.sessionStorage.getItem('llmd.token')).toBe(token)
})

it('leaves other addresses alone', () => {
  window.history.replaceState(null, '', '/#/jobs/1')
  expect(takeTokenFromAddress()).toBe(false)
  expect(window.location.hash).toBe('#/jobs/1')
  expect(currentToken()).toBeNull()
})

it.each([
  [token, token],
  [`  ${token}\n`, token],
  [`http://127.0.0.1:11500/#token=${token}`, token],
  ['short', null],
  ['two words here', null],
  ['header\r\ninjection: x', null],
  ['', null],
])('reads %j as %j', (pasted, expected) => {
  expect(cleanToken(pasted)).toBe(expected)
})

it('finds the token only after the hash mark', () => {
  expect(tokenInHash(`#/token=${token}`)).toBe(token)
  expect(tokenInHash('#/models')).toBeNull()
})
