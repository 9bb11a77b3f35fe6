import { Text } from '@mantine/core'
import type { Problem } from '../api'
import { Notice } from './notice'

interface ProblemAlertProps {
  problem: Pick<Problem, 'message' | 'nextStep'>
  title?: string
  onClose?: () => void
}

/** What went wrong and what to do about it. Screen readers say it at once. */
export function ProblemAlert({ problem, title, onClose }: ProblemAlertProps) {
  return (
    <Notice role="alert" tone="bad" title={title} onClose={onClose}>
      <Text size="sm" className="text-as-is">
        {problem.message}
      </Text>
      {problem.nextStep !== '' && (
        <Text size="sm" className="text-as-is quiet" mt={2}>
          {problem.nextStep}
        </Text>
      )}
    </Notice>
  )
}
