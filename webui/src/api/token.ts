// The token that `llmctl dashboard` puts into the address after '#'. It is kept for this tab only
// and taken out of the address at once, so that it ends up in no history and no bookmark.

const storageKey = 'llmd.token'
const tokenPattern = /^[\x21-\x7e]{8,512}$/

let memory: string | null = null

/** The token of `#token=...`, or null. */
export function tokenInHash(hash: string): string | null {
  const found = /^#\/?token=([^&]*)/.exec(hash)?.[1]
  return found === undefined ? null : cleanToken(found)
}

/** A token out of what a person pasted: the token itself or the whole address. Null if neither. */
export function cleanToken(pasted: string): string | null {
  const text = pasted.trim()
  const token = /#\/?token=([^&\s]*)/.exec(text)?.[1] ?? text
  return tokenPattern.test(token) ? token : null
}

/** Takes a token out of the address, if one is there. True when it did. */
export function takeTokenFromAddress(): boolean {
  const token = tokenInHash(window.location.hash)
  if (token === null) return false
  storeToken(token)
  window.history.replaceState(null, '', `${window.location.pathname}${window.location.search}#/`)
  return true
}

export function storeToken(token: string): void {
  memory = token
  try {
    window.sessionStorage.setItem(storageKey, token)
  } catch {
    // Storage is off: the token lasts until the page is reloaded.
  }
}

export function currentToken(): string | null {
  if (memory !== null) return memory
  try {
    memory = window.sessionStorage.getItem(storageKey)
  } catch {
    memory = null
  }
  return memory
}

export function forgetToken(): void {
  memory = null
  try {
    window.sessionStorage.removeItem(storageKey)
  } catch {
    // Nothing was stored then.
  }
}
