import { Container, Group, Title } from '@mantine/core'
import { type ReactNode, useEffect, useRef } from 'react'

interface PageProps {
  title: string
  /** Left of the title, such as a way back. */
  before?: ReactNode
  actions?: ReactNode
  children: ReactNode
}

/** A page: its title names the window and takes the focus, so that keyboards start at the top. */
export function Page({ title, before, actions, children }: PageProps) {
  const heading = usePageTitle(title)
  return (
    <Container size={920} px={0}>
      <Group justify="space-between" mb="md" gap="sm" wrap="nowrap">
        <Group gap="xs" wrap="nowrap" miw={0}>
          {before}
          <Title ref={heading} order={1} size="h3" tabIndex={-1} className="page-title wrap">
            {title}
          </Title>
        </Group>
        {actions}
      </Group>
      {children}
    </Container>
  )
}

let firstPage = true

export function usePageTitle(title: string) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${title} · llmd`
  }, [title])
  useEffect(() => {
    // The first page leaves the focus at the top of the document, where the browser has it.
    if (!firstPage) heading.current?.focus({ preventScroll: true })
    firstPage = false
    window.scrollTo(0, 0)
  }, [])
  return heading
}
