import { Alert } from '@mantine/core'
import type { ReactNode } from 'react'
import { WarningIcon } from './icons'

interface NoticeProps {
  tone: 'good' | 'busy' | 'warn' | 'bad' | 'idle'
  /** alert is read out at once, status when the reader is free. */
  role: 'alert' | 'status'
  title?: ReactNode
  onClose?: (() => void) | undefined
  children: ReactNode
}

/** Something that one should read, coloured by how bad it is. */
export function Notice({ tone, role, title, onClose, children }: NoticeProps) {
  const grave = tone === 'bad' || tone === 'warn'
  return (
    <Alert
      role={role}
      variant="light"
      data-tone={tone}
      icon={grave ? <WarningIcon /> : undefined}
      title={title}
      withCloseButton={onClose !== undefined}
      closeButtonLabel="Dismiss"
      {...(onClose === undefined ? {} : { onClose })}
    >
      {children}
    </Alert>
  )
}
