import { Anchor, Button, Checkbox, Group, Select, Stack, Text, TextInput } from '@mantine/core'
import { type SyntheticEvent, useId } from 'react'
import { useConnection, useStore, useWorld } from '../../api'
import { formatBytes } from '../../lib/format'
import { routeHref } from '../../lib/route'
import { jobEnded } from '../../lib/states'
import { JobProgress } from '../../ui/job-progress'
import { ProblemAlert } from '../../ui/problem-alert'
import { StateBadge } from '../../ui/state-badge'
import { useSession } from '../session'
import { ProfileView } from './profile-view'

export const installFieldId = 'install-source'

/** Type a repository, see what it is, install it. */
export function InstallBox() {
  const { install } = useSession()
  const view = useStore(install.store)
  const away = useConnection().status !== 'live'
  const headingId = useId()
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    void install.check()
  }
  return (
    <section className="card" aria-labelledby={headingId}>
      <form onSubmit={submit}>
        <Text component="h2" id={headingId} fw={600} mb={6}>
          Install a model
        </Text>
        <Group align="flex-start" gap="xs">
          <TextInput
            id={installFieldId}
            aria-label="Repository or local folder"
            placeholder="org/name on Hugging Face, or /path/to/a/folder"
            value={view.typed}
            error={view.complaint}
            onChange={(event) => install.type(event.currentTarget.value)}
            flex="1 1 220px"
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
          />
          <Button type="submit" loading={view.checking} disabled={away || view.typed.trim() === ''}>
            Check
          </Button>
        </Group>
      </form>
      <Text size="xs" className="quiet" mt={6}>
        Checking takes seconds and fetches no weights.
      </Text>
      <Stack gap="sm" mt={(view.answer ?? view.problem ?? view.jobId) ? 'md' : 0}>
        {view.problem !== null && (
          <ProblemAlert problem={view.problem} onClose={() => install.clear()} />
        )}
        <Answer />
        {view.jobId !== null && <Started id={view.jobId} />}
      </Stack>
    </section>
  )
}

function Answer() {
  const { install } = useSession()
  const view = useStore(install.store)
  const away = useConnection().status !== 'live'
  const { answer } = view
  const profile = answer?.profile
  if (answer === null || profile === undefined) return null
  const { fits = '', requiredBytes = 0n } = profile.memory ?? {}
  // Where nobody serves it, no memory is told, and force is of no use.
  const tooLarge = answer.exitCode === 3 && fits === 'no' && requiredBytes > 0n
  const possible = answer.exitCode === 0 || (tooLarge && view.force)
  return (
    <Stack gap="sm">
      <ProfileView answer={answer} profile={profile} />
      {profile.variants.length > 0 && (
        <Select
          label="Variant"
          placeholder="The one that suits this machine"
          data={profile.variants.map(({ name, bytes }) => ({
            value: name,
            label: `${name} (${formatBytes(bytes)})`,
          }))}
          value={view.variant === '' ? null : view.variant}
          clearable
          maw={360}
          disabled={view.checking || away}
          onChange={(name) => void install.choose(name ?? '')}
        />
      )}
      {tooLarge && (
        <Checkbox
          label="Install it all the same. It may be killed for want of memory."
          checked={view.force}
          onChange={(event) => install.setForce(event.currentTarget.checked)}
        />
      )}
      <Group gap="xs">
        {answer.exitCode !== 4 && (
          <Button
            disabled={!possible || view.checking || away}
            loading={view.starting}
            onClick={() => void install.install()}
          >
            {profile.download === undefined || profile.download.bytes === 0n
              ? 'Install'
              : `Install (${formatBytes(profile.download.bytes)})`}
          </Button>
        )}
        <Button variant="default" onClick={() => install.clear()}>
          Close
        </Button>
      </Group>
    </Stack>
  )
}

/** The installation that was started here, to its end. */
function Started({ id }: { id: string }) {
  const { install } = useSession()
  const job = useWorld().jobs.get(id)
  if (job === undefined) return null
  return (
    <div>
      <Group gap="xs" mb={6}>
        <Text fw={600} size="sm" className="wrap">
          {job.subject}
        </Text>
        <StateBadge state={job.state} />
        <Anchor size="sm" href={routeHref({ page: 'job', id })} ml="auto">
          Log
        </Anchor>
        {jobEnded(job.state) && (
          <Button size="compact-sm" variant="default" onClick={() => install.clear()}>
            Close
          </Button>
        )}
      </Group>
      {job.error !== undefined ? (
        <ProblemAlert problem={job.error} title="Not installed" />
      ) : (
        !jobEnded(job.state) && <JobProgress job={job} />
      )}
    </div>
  )
}
