-- Times are microseconds since 1970. States are the names of domain/states.h.

-- One row: the owner epoch of the daemon that runs now.
CREATE TABLE epoch (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  value INTEGER NOT NULL
) STRICT;
INSERT INTO epoch VALUES (1, 0);

CREATE TABLE model (
  name TEXT PRIMARY KEY,
  folder_name TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL CHECK (state IN ('installing', 'installed', 'broken', 'removing')),
  engine TEXT NOT NULL,
  installed_at INTEGER NOT NULL,
  bytes_on_disk INTEGER NOT NULL,
  memory_bytes INTEGER NOT NULL,
  profile TEXT NOT NULL
) STRICT;

CREATE TABLE alias (
  alias TEXT PRIMARY KEY,
  model TEXT NOT NULL REFERENCES model (name) ON DELETE CASCADE
) STRICT;
CREATE INDEX alias_by_model ON alias (model);

CREATE TABLE job (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  subject TEXT NOT NULL,
  payload TEXT NOT NULL,
  state TEXT NOT NULL CHECK (
    state IN ('queued', 'running', 'cancelling', 'succeeded', 'failed', 'cancelled')),
  step TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  owner_epoch INTEGER NOT NULL,
  error_code TEXT,
  error_message TEXT,
  error_next_step TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX job_by_key ON job (idempotency_key)
  WHERE idempotency_key <> '' AND state IN ('queued', 'running', 'cancelling');

-- A job's history; state, step, attempt and error are the job's after the event.
CREATE TABLE job_event (
  job INTEGER NOT NULL REFERENCES job (number) ON DELETE CASCADE,
  sequence INTEGER NOT NULL,
  time INTEGER NOT NULL,
  type TEXT NOT NULL CHECK (type IN ('state', 'step', 'log')),
  message TEXT NOT NULL,
  state TEXT NOT NULL,
  step TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  crashes INTEGER NOT NULL,
  owner_epoch INTEGER NOT NULL,
  error_code TEXT,
  error_message TEXT,
  error_next_step TEXT,
  PRIMARY KEY (job, sequence)
) STRICT, WITHOUT ROWID;

CREATE TABLE server (
  folder_name TEXT PRIMARY KEY,
  model TEXT NOT NULL,
  state TEXT NOT NULL,
  engine TEXT NOT NULL,
  pid INTEGER NOT NULL,
  endpoint TEXT NOT NULL,
  reserved_bytes INTEGER NOT NULL,
  started_at INTEGER,
  last_used_at INTEGER,
  reason TEXT NOT NULL
) STRICT;
