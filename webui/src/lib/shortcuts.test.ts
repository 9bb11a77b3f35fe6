import { expect, it } from 'vitest'
import { noKeys, pressKey, shortcuts } from './shortcuts'

function type(...keys: string[]) {
  return keys.reduce(pressKey, noKeys)
}

it.each(shortcuts.map((shortcut) => [shortcut.keys.join(' '), shortcut] as const))(
  '%s works',
  (_, shortcut) => {
    expect(type(...shortcut.keys).command).toBe(shortcut.command)
  },
)

it('waits for the second key', () => {
  expect(type('g')).toEqual({ pressed: ['g'], command: null })
})

it('starts anew after a wrong key', () => {
  expect(type('g', 'x', 'm').command).toBeNull()
  expect(type('g', 'g', 'm').command).toBe('models')
  expect(type('g', '/').command).toBe('install')
})
