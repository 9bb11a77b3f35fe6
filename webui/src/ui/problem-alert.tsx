import { Alert, Text } from '@mantine/core'
import type { Problem } from '../api'
import { WarningIcon } from './icons'

interface ProblemAlertProps {
  problem: Problem
  title?: string
  onClose?: () => void
}

/** What went wrong and what to do about it. Screen readers say it at once. */
export function ProblemAlert({ problem, title, onClose }: ProblemAlertProps) {
  return (
    <Alert
      role="alert"
      variant="light"
      color="red"
      icon={<WarningIcon />}
      title={title}
      withCloseButton={onClose !== undefined}
      closeButtonLabel="Dismiss"
      {...(onClose === undefined ? {} : { onClose })}
    >
      <Text size="sm" className="text-as-is" c="var(--mantine-color-text)">
        {problem.message}
      </Text>
      {problem.nextStep !== '' && (
        <Text size="sm" className="text-as-is" mt={4} c="var(--mantine-color-text)">
          {problem.nextStep}
        </Text>
      )}
    </Alert>
  )
}
