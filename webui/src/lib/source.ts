/** Where a model comes from, out of what a person typed or pasted. */
export type Source = { ok: true; repoId: string; revision: string } | { ok: false; message: string }

const repoPattern = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/

/**
 * Takes `org/name`, `org/name@revision`, an address on the Hub, or the absolute path of a folder
 * on the machine where llmd runs. Whether it exists is for llmd to say.
 */
export function parseSource(typed: string): Source {
  const text = typed.trim()
  if (text === '') return problem('Type a repository, such as org/name.')
  if (text.startsWith('/')) return { ok: true, repoId: text, revision: '' }
  if (/^(~|\.{1,2}(\/|$)|[A-Za-z]:\\)/.test(text)) {
    return problem('A local folder needs its whole path, beginning with a slash.')
  }
  const address = /^(?:https?:\/\/)?(?:huggingface\.co|hf\.co)\/([^?#]*)/.exec(text)?.[1]
  if (address !== undefined) {
    const [org = '', name = '', tree = '', revision = ''] = address.split('/')
    if (org === 'datasets' || org === 'spaces')
      return problem(`That is one of the ${org}, no model.`)
    return checked(`${org}/${name}`, tree === 'tree' || tree === 'blob' ? revision : '')
  }
  const [repoId = '', revision = ''] = text.split('@', 2)
  return checked(repoId, revision)
}

function checked(repoId: string, revision: string): Source {
  if (repoPattern.test(repoId)) return { ok: true, repoId, revision }
  return problem('A repository is written org/name, a local folder as its whole path.')
}

function problem(message: string): Source {
  return { ok: false, message }
}
