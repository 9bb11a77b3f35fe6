/** The page's shortcuts: what the help shows is what works. */
export type Command = 'models' | 'chat' | 'jobs' | 'system' | 'install' | 'theme' | 'help'

export interface Shortcut {
  keys: readonly string[]
  command: Command
  label: string
}

export const shortcuts: readonly Shortcut[] = [
  { keys: ['g', 'm'], command: 'models', label: 'Go to the models' },
  { keys: ['g', 'c'], command: 'chat', label: 'Go to the chat' },
  { keys: ['g', 'j'], command: 'jobs', label: 'Go to the jobs' },
  { keys: ['g', 's'], command: 'system', label: 'Go to the system page' },
  { keys: ['/'], command: 'install', label: 'Type a model to install' },
  { keys: ['t'], command: 'theme', label: 'Switch between light and dark' },
  { keys: ['?'], command: 'help', label: 'Show this help' },
]

export interface KeyState {
  /** Keys of a sequence that has begun. */
  pressed: readonly string[]
  command: Command | null
}

export const noKeys: KeyState = { pressed: [], command: null }

/** One more key: goes on with a sequence, completes one, or starts anew. */
export function pressKey(state: KeyState, key: string): KeyState {
  for (const pressed of [[...state.pressed, key], [key]]) {
    const fitting = shortcuts.filter((shortcut) =>
      pressed.every((wanted, index) => shortcut.keys[index] === wanted),
    )
    const complete = fitting.find((shortcut) => shortcut.keys.length === pressed.length)
    if (complete !== undefined) return { pressed: [], command: complete.command }
    if (fitting.length > 0) return { pressed, command: null }
  }
  return noKeys
}
