import { expect, it } from 'vitest'
import { parseRoute, routeHref, type Route } from './route'

const routes: Route[] = [
  { page: 'models' },
  { page: 'chat', model: null },
  { page: 'chat', model: 'HuggingFaceTB/SmolLM2-135M:α β' },
  { page: 'jobs' },
  { page: 'job', id: 'j-1' },
  { page: 'logs', model: 'local/tiny' },
  { page: 'system' },
]

it.each(routes)('%j survives the address', (route) => {
  expect(parseRoute(routeHref(route))).toEqual(route)
})

it.each(['', '#', '#/', '#/nowhere', '#/logs', '#/%'])('%j is the list of models', (hash) => {
  expect(parseRoute(hash)).toEqual({ page: 'models' })
})
