import { Badge, Group, List, Stack, Text } from '@mantine/core'
import type { CheckResponse, ModelProfile } from '../../api'
import { formatBytes, formatCount, plural } from '../../lib/format'
import { Facts } from '../../ui/facts'
import { CheckIcon, CrossIcon } from '../../ui/icons'
import { Notice } from '../../ui/notice'

const verdicts: Record<number, { text: string; tone: 'good' | 'warn' | 'bad' }> = {
  0: { text: 'Can be installed here', tone: 'good' },
  3: { text: 'Recognised, but not possible here', tone: 'warn' },
  4: { text: 'Not a model that llmd can serve', tone: 'bad' },
}

const fits: Record<string, string> = {
  yes: 'fits',
  tight: 'only just fits',
  no: 'does not fit into what this machine has',
}

/** What a repository is, and why. Everything here comes from the repository: text only. */
export function ProfileView({ answer, profile }: { answer: CheckResponse; profile: ModelProfile }) {
  const verdict = verdicts[answer.exitCode] ?? { text: 'Unknown answer', tone: 'warn' }
  return (
    <Stack gap="sm">
      <Group gap="xs">
        <Text fw={600} className="wrap">
          {profile.repoId}
        </Text>
        <Badge variant="default" tt="none">
          {profile.kind}
        </Badge>
        {profile.gated && (
          <Badge variant="default" tt="none">
            gated
          </Badge>
        )}
      </Group>
      <Notice role="status" tone={verdict.tone}>
        <Text size="sm" fw={600}>
          {verdict.text}
        </Text>
        {profile.reasons.length > 0 && (
          <List size="sm" mt={4} className="wrap">
            {profile.reasons.map((reason) => (
              <List.Item key={reason}>{reason}</List.Item>
            ))}
          </List>
        )}
      </Notice>
      <Facts
        facts={[
          ['Architecture', profile.architecture],
          ['Parameters', profile.parameters && formatCount(profile.parameters)],
          ['Precision', precision(profile)],
          ['Context', profile.contextLength && plural(profile.contextLength, 'token')],
          ['Download', download(profile)],
          ['Memory', memory(profile)],
          ['Capabilities', profile.capabilities.join(', ')],
          ['Licence', profile.license ?? 'not stated'],
          ['Base model', profile.baseModel],
          [
            'Remote code',
            profile.requirements?.remoteCode === true && 'runs code of the repository',
          ],
          ['Engines', <Backends key="engines" profile={profile} />],
        ]}
      />
      <Notes notes={answer.notes} />
      <Evidence profile={profile} />
    </Stack>
  )
}

function Backends({ profile }: { profile: ModelProfile }) {
  if (profile.backends.length === 0) return 'none'
  return profile.backends.map((backend) => (
    <Group key={backend.name} gap={6} wrap="nowrap" align="flex-start">
      <span
        style={{ color: backend.usable ? 'var(--tone-good)' : 'var(--tone-idle)', lineHeight: 1 }}
      >
        {backend.usable ? <CheckIcon size={16} /> : <CrossIcon size={16} />}
      </span>
      <span>
        {backend.name}
        {backend.usable ? '' : ': not usable'}
        {backend.reason !== '' && <span className="quiet"> ({backend.reason})</span>}
      </span>
    </Group>
  ))
}

/** Where the numbers come from, and what the family of models knows besides. */
function Notes({ notes }: { notes: string[] }) {
  if (notes.length === 0) return null
  return (
    <details>
      <summary className="quiet" style={{ fontSize: 'var(--mantine-font-size-sm)' }}>
        Memory, disk and more
      </summary>
      <List size="sm" mt={6} className="wrap">
        {notes.map((note) => (
          <List.Item key={note}>{note}</List.Item>
        ))}
      </List>
    </details>
  )
}

function Evidence({ profile }: { profile: ModelProfile }) {
  if (profile.evidence.length === 0) return null
  return (
    <details>
      <summary className="quiet" style={{ fontSize: 'var(--mantine-font-size-sm)' }}>
        How llmd found out
      </summary>
      <List size="sm" mt={6} className="wrap">
        {profile.evidence.map(({ detector, matched, because }, index) => (
          <List.Item key={index}>
            <b>{detector}</b> {matched ? 'matched' : 'did not match'}: {because}
          </List.Item>
        ))}
      </List>
    </details>
  )
}

function precision(profile: ModelProfile): string {
  const quantization = profile.quantization === 'none' ? '' : profile.quantization
  return [quantization, profile.dtype].filter(Boolean).join(', ')
}

function download({ download: plan }: ModelProfile): string {
  if (plan === undefined) return ''
  const skipped = plan.skipped.length === 0 ? '' : `; ${plan.skipped.length} not needed`
  return `${formatBytes(plan.bytes)} in ${plural(plan.files, 'file')}${skipped}`
}

function memory({ memory: need }: ModelProfile): string {
  if (need === undefined || need.requiredBytes === 0n) return ''
  return `${formatBytes(need.requiredBytes)}: ${fits[need.fits] ?? need.fits}`
}
