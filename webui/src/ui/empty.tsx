import { Anchor, Text } from '@mantine/core'
import type { ReactNode } from 'react'

interface EmptyProps {
  title: string
  children: ReactNode
  href?: string
  link?: string
}

/** What a list says while it has nothing, and where to go from there. */
export function Empty({ title, children, href, link }: EmptyProps) {
  return (
    <div style={{ padding: '48px 16px', textAlign: 'center' }}>
      <Text fw={600} mb={4}>
        {title}
      </Text>
      <Text size="sm" className="quiet" component="div">
        {children}
      </Text>
      {href !== undefined && (
        <Anchor href={href} size="sm" mt="xs" display="inline-block">
          {link}
        </Anchor>
      )}
    </div>
  )
}
