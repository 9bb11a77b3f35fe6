import { Button, Code, Container, PasswordInput, Stack, Text, Title } from '@mantine/core'
import { type SyntheticEvent, useState } from 'react'
import { cleanToken, storeToken, useLlmd } from '../../api'
import { usePageTitle } from '../../ui/page'

/** Shown instead of everything while llmd does not accept this page's token. */
export function TokenPage() {
  const { live } = useLlmd()
  const heading = usePageTitle('Access')
  const [pasted, setPasted] = useState('')
  const [complaint, setComplaint] = useState('')
  const submit = (event: SyntheticEvent) => {
    event.preventDefault()
    const token = cleanToken(pasted)
    if (token === null) {
      setComplaint('That is neither a token nor the address of the dashboard.')
      return
    }
    storeToken(token)
    live.retry()
  }
  return (
    <Container size={520} px={0} pt="8dvh">
      <form onSubmit={submit} className="card">
        <Stack gap="md" p="xs">
          <Title ref={heading} order={1} size="h3" tabIndex={-1} className="page-title">
            This page needs its token
          </Title>
          <Text size="sm">
            llmd lets only people in who can read its files. In a terminal on its machine, run
          </Text>
          <Code block>llmctl dashboard</Code>
          <Text size="sm">
            and open the address that it prints, or paste that address, or the token alone, here. It
            is kept until this tab is closed.
          </Text>
          <PasswordInput
            label="Address or token"
            value={pasted}
            error={complaint}
            autoComplete="off"
            spellCheck={false}
            onChange={(event) => {
              setPasted(event.currentTarget.value)
              setComplaint('')
            }}
          />
          <Button type="submit" disabled={pasted.trim() === ''}>
            Continue
          </Button>
        </Stack>
      </form>
    </Container>
  )
}
