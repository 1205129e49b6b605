CREATE TABLE IF NOT EXISTS batch (
  id TEXT PRIMARY KEY,
  created_at BIGINT NOT NULL,
  started_at BIGINT NOT NULL DEFAULT 0,      -- of the last run
  searched_at BIGINT NOT NULL DEFAULT 0,     -- the last search in the account's logs
  paused_until BIGINT NOT NULL DEFAULT 0,    -- no submission before
  pauses BIGINT NOT NULL DEFAULT 0,          -- in a row
  pause_reason TEXT NOT NULL DEFAULT '',
  output TEXT NOT NULL DEFAULT '',
  concurrency BIGINT NOT NULL DEFAULT 0,
  rate BIGINT NOT NULL DEFAULT 0,
  max_usd BIGINT NOT NULL DEFAULT 0,         -- in millionths of a dollar, as all money
  until BIGINT NOT NULL DEFAULT 0,
  stop_after_failures BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS generation (
  batch_id TEXT NOT NULL REFERENCES batch (id),
  line BIGINT NOT NULL,
  custom_id TEXT NOT NULL,
  body TEXT NOT NULL,                        -- local files as path, size and hash
  body_hash TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'pending',
  submit_attempt BIGINT NOT NULL DEFAULT 0,
  client_request_id TEXT UNIQUE,
  generation_id TEXT UNIQUE,
  lease_until BIGINT NOT NULL DEFAULT 0,
  worker TEXT NOT NULL DEFAULT '',           -- the process that submits or saves
  search_until BIGINT NOT NULL DEFAULT 0,    -- an unknown line is looked for in the logs until then
  status TEXT NOT NULL DEFAULT '',           -- the API's word
  missed BIGINT NOT NULL DEFAULT 0,          -- polls or saves that failed in a row
  price BIGINT NOT NULL DEFAULT 0,           -- the estimate
  usd BIGINT,                                -- charged, where the API has reported it
  lost BIGINT NOT NULL DEFAULT 0,            -- attempts of unknown outcome that were given up
  file TEXT NOT NULL DEFAULT '',             -- the line's own, before the download into it begins
  file_size BIGINT NOT NULL DEFAULT 0,       -- once it is saved
  response TEXT NOT NULL DEFAULT '',         -- the last body of the API
  http_status BIGINT NOT NULL DEFAULT 0,
  error_code TEXT NOT NULL DEFAULT '',
  error TEXT NOT NULL DEFAULT '',
  reported BIGINT NOT NULL DEFAULT 0,        -- its outcome is in results.jsonl or errors.jsonl
  created_at BIGINT NOT NULL,
  submitting_at BIGINT NOT NULL DEFAULT 0,
  accepted_at BIGINT NOT NULL DEFAULT 0,
  completed_at BIGINT NOT NULL DEFAULT 0,
  finished_at BIGINT NOT NULL DEFAULT 0,     -- saved, failed, rejected, unknown or canceled
  PRIMARY KEY (batch_id, line),
  UNIQUE (batch_id, custom_id)
);

CREATE INDEX IF NOT EXISTS generation_state ON generation (batch_id, state, line);
CREATE INDEX IF NOT EXISTS generation_submitting_at ON generation (batch_id, submitting_at)
