/** Where the page is. The address keeps it after the '#', so the server needs no rewriting. */
export type Route =
  | { page: 'models' }
  | { page: 'chat'; model: string | null }
  | { page: 'jobs' }
  | { page: 'job'; id: string }
  | { page: 'logs'; model: string }
  | { page: 'system' }

export function parseRoute(hash: string): Route {
  const [first = '', second = ''] = hash.replace(/^#\/?/, '').split('/').map(decode)
  switch (first) {
    case 'chat':
      return { page: 'chat', model: second === '' ? null : second }
    case 'jobs':
      return second === '' ? { page: 'jobs' } : { page: 'job', id: second }
    case 'logs':
      return second === '' ? { page: 'models' } : { page: 'logs', model: second }
    case 'system':
      return { page: 'system' }
    default:
      return { page: 'models' }
  }
}

export function routeHref(route: Route): string {
  switch (route.page) {
    case 'chat':
      return route.model === null ? '#/chat' : `#/chat/${encodeURIComponent(route.model)}`
    case 'job':
      return `#/jobs/${encodeURIComponent(route.id)}`
    case 'logs':
      return `#/logs/${encodeURIComponent(route.model)}`
    default:
      return `#/${route.page}`
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
