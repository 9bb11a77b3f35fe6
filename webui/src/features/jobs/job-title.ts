import type { Job } from '../../api'

const verbs: Record<string, string> = { install: 'Install', remove: 'Remove' }

/** "Install acme/tiny" */
export function jobTitle(job: Job): string {
  return `${verbs[job.kind] ?? job.kind} ${job.subject}`
}

/** The newest first. */
export function sortedJobs(jobs: Iterable<Job>): Job[] {
  return [...jobs].sort(
    (a, b) => b.createdAt.localeCompare(a.createdAt) || b.id.localeCompare(a.id),
  )
}
