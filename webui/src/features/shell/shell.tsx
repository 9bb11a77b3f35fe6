import {
  ActionIcon,
  AppShell,
  Container,
  Group,
  Text,
  Tooltip,
  useComputedColorScheme,
  useMantineColorScheme,
} from '@mantine/core'
import { type ReactNode, useState } from 'react'
import { useConnection } from '../../api'
import type { Command } from '../../lib/shortcuts'
import { HelpIcon, Logo, MoonIcon, SunIcon } from '../../ui/icons'
import { goTo, useRoute } from '../../ui/use-route'
import { ConnectionBanner } from '../connection/connection-banner'
import { ConnectionState } from '../connection/connection-state'
import { TokenPage } from '../connection/token-page'
import { UpdateNotice } from '../connection/update-notice'
import { installFieldId } from '../install/install-box'
import { HelpDialog } from './help-dialog'
import { Navigation } from './navigation'
import { useShortcuts } from './use-shortcuts'

/** What is around every page: header, navigation, the word on the connection, help. */
export function Shell({ children }: { children: ReactNode }) {
  const [help, setHelp] = useState(false)
  const { page } = useRoute()
  const scheme = useComputedColorScheme('light')
  const { setColorScheme } = useMantineColorScheme()
  const switchScheme = () => setColorScheme(scheme === 'dark' ? 'light' : 'dark')
  const refused = useConnection().status === 'token'
  useShortcuts((command) => {
    if (command === 'help') setHelp(true)
    else if (command === 'theme') switchScheme()
    else openPlace(command, page === 'models')
  })
  return (
    <AppShell
      header={{ height: 54 }}
      navbar={{ width: 208, breakpoint: 'sm', collapsed: { mobile: true, desktop: refused } }}
      footer={{ height: { base: 58, sm: 0 }, collapsed: refused }}
      padding="md"
    >
      <a href="#main" className="skip-link" onClick={skipToMain}>
        Skip to the content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap={10} wrap="nowrap">
            <Logo />
            <Text fw={700} size="lg">
              llmd
            </Text>
          </Group>
          <Group gap="xs" wrap="nowrap">
            <ConnectionState />
            <Tooltip label="Keyboard shortcuts (?)">
              <ActionIcon
                variant="subtle"
                color="gray"
                size="lg"
                visibleFrom="sm"
                aria-label="Keyboard shortcuts"
                onClick={() => setHelp(true)}
              >
                <HelpIcon />
              </ActionIcon>
            </Tooltip>
            <Tooltip label={scheme === 'dark' ? 'Light (t)' : 'Dark (t)'}>
              <ActionIcon
                variant="subtle"
                color="gray"
                size="lg"
                aria-label={scheme === 'dark' ? 'Switch to light' : 'Switch to dark'}
                onClick={switchScheme}
              >
                {scheme === 'dark' ? <SunIcon /> : <MoonIcon />}
              </ActionIcon>
            </Tooltip>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="sm">
        <Navigation />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} style={{ outline: 'none' }}>
        <Container size={920} px={0}>
          <ConnectionBanner />
          <UpdateNotice />
        </Container>
        {refused ? <TokenPage /> : children}
      </AppShell.Main>
      <AppShell.Footer hiddenFrom="sm">
        <Navigation className="tab-bar" />
      </AppShell.Footer>
      <HelpDialog opened={help} onClose={() => setHelp(false)} />
    </AppShell>
  )
}

function openPlace(command: Exclude<Command, 'help' | 'theme'>, onModels: boolean): void {
  if (command === 'chat') goTo({ page: 'chat', model: null })
  else if (command !== 'install') goTo({ page: command })
  else {
    if (!onModels) goTo({ page: 'models' })
    // The page is drawn after the address has changed.
    setTimeout(() => document.getElementById(installFieldId)?.focus(), onModels ? 0 : 50)
  }
}

function skipToMain(event: { preventDefault: () => void }): void {
  event.preventDefault()
  document.getElementById('main')?.focus()
}
