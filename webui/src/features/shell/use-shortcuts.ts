import { useEffect, useRef } from 'react'
import { type Command, noKeys, pressKey } from '../../lib/shortcuts'

const sequenceMs = 1200

/** Listens for shortcuts, except where one types and while a dialog is open. */
export function useShortcuts(run: (command: Command) => void): void {
  const latest = useRef(run)
  useEffect(() => {
    latest.current = run
  })
  useEffect(() => {
    let state = noKeys
    let lastAt = 0
    const pressed = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return
      if (document.querySelector('[role="dialog"], [role="menu"]') !== null) return
      if (event.timeStamp - lastAt > sequenceMs) state = noKeys
      lastAt = event.timeStamp
      state = pressKey(state, event.key)
      if (state.command === null) return
      event.preventDefault()
      latest.current(state.command)
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [])
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
  )
}
