import { useSyncExternalStore } from 'react'
import { parseRoute, type Route, routeHref } from '../lib/route'

function subscribe(listener: () => void): () => void {
  window.addEventListener('hashchange', listener)
  return () => window.removeEventListener('hashchange', listener)
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => window.location.hash))
}

export function goTo(route: Route): void {
  window.location.hash = routeHref(route)
}
