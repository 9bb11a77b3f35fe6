import { Group, Text } from '@mantine/core'
import { segments } from '../../lib/segments'
import { CopyButton } from '../../ui/copy-button'
import { ProblemAlert } from '../../ui/problem-alert'
import type { Turn } from './chats'

interface MessageProps {
  turn: Turn
  /** It is still being written. */
  writing: boolean
  waitingFor: string
}

/** One turn. What the model wrote is text, whatever it looks like. */
export function Message({ turn, writing, waitingFor }: MessageProps) {
  if (turn.role === 'user') {
    return (
      <div className="message text-as-is" data-role="user" aria-label="You">
        {turn.text}
      </div>
    )
  }
  return (
    <div className="message" data-role="assistant" aria-label="Model" aria-busy={writing}>
      {segments(turn.text).map((segment, index) =>
        segment.kind === 'code' ? (
          // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways
          <pre key={index} className="message-code" tabIndex={0} aria-label="Code">
            {segment.text}
          </pre>
        ) : (
          <div key={index} className="text-as-is">
            {segment.text}
          </div>
        ),
      )}
      {writing && turn.text === '' && <Text className="quiet">{waitingFor}</Text>}
      {writing && turn.text !== '' && <span className="caret" />}
      {turn.problem !== null && <ProblemAlert problem={turn.problem} title="No answer" />}
      {!writing && turn.text !== '' && (
        <Group gap={6} mt={2}>
          <CopyButton text={turn.text} label="Copy the answer" />
          <Text size="xs" className="quiet">
            {summary(turn)}
          </Text>
        </Group>
      )}
    </div>
  )
}

/** "24 tokens · 31 a second · reached the limit of tokens" */
export function summary(turn: Turn): string {
  const parts: string[] = []
  if (turn.tokens > 0) parts.push(`${turn.tokens} tokens`)
  if (turn.tokens > 1 && turn.seconds > 0.05) {
    parts.push(`${((turn.tokens - 1) / turn.seconds).toFixed(1)} a second`)
  }
  if (turn.finish === 'length') parts.push('reached the limit of tokens')
  if (turn.finish === 'stopped') parts.push('stopped by you')
  return parts.join(' · ')
}
