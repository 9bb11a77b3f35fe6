import type { ReactNode } from 'react'
import { useWorld } from '../../api'
import type { Route } from '../../lib/route'
import { jobEnded } from '../../lib/states'
import { ChatIcon, JobsIcon, ModelsIcon, SystemIcon } from '../../ui/icons'
import { useRoute } from '../../ui/use-route'
import { readyCount } from '../models/model-list'

interface Place {
  href: string
  label: string
  icon: ReactNode
  pages: Route['page'][]
}

const places: Place[] = [
  { href: '#/models', label: 'Models', icon: <ModelsIcon />, pages: ['models', 'logs'] },
  { href: '#/chat', label: 'Chat', icon: <ChatIcon />, pages: ['chat'] },
  { href: '#/jobs', label: 'Jobs', icon: <JobsIcon />, pages: ['jobs', 'job'] },
  { href: '#/system', label: 'System', icon: <SystemIcon />, pages: ['system'] },
]

/** The four places, with what is going on there. */
export function Navigation({ className }: { className?: string }) {
  const { page } = useRoute()
  const world = useWorld()
  const counts: Record<string, [number, string]> = {
    Models: [readyCount(world), 'ready'],
    Jobs: [[...world.jobs.values()].filter((job) => !jobEnded(job.state)).length, 'running'],
  }
  return (
    <nav aria-label="Pages" className={className}>
      {places.map(({ href, label, icon, pages }) => {
        const [count, what] = counts[label] ?? [0, '']
        return (
          <a
            key={href}
            href={href}
            className="nav-link"
            aria-current={pages.includes(page) ? 'page' : undefined}
          >
            {icon}
            {label}
            {count > 0 && (
              <span className="nav-count" aria-label={`${count} ${what}`}>
                {count}
              </span>
            )}
          </a>
        )
      })}
    </nav>
  )
}
