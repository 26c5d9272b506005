"""What a ledger looks like in PostgreSQL: the numbered steps that make it, and whether it is still as they made it.

The server's catalogues are read, not the text of the steps: a server keeps what a statement meant, not what it said.
Nothing here opens a connection.
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["SCHEMA_STEPS", "SELECT_SCHEMA", "schema_fault"]

_REFUSE = """
BEGIN
  RAISE EXCEPTION 'the ledger is append-only: % is refused', TG_OP;
END
"""
_FOLLOW = """
DECLARE
  last record;
BEGIN
  SELECT seq, hash, recorded_at INTO last FROM watchfloor.entry ORDER BY seq DESC LIMIT 1;
  IF NEW.seq IS DISTINCT FROM coalesce(last.seq, 0) + 1
    OR NEW.prev IS DISTINCT FROM coalesce(last.hash, repeat('0', 64))
    OR NEW.recorded_at < last.recorded_at
  THEN
    RAISE EXCEPTION 'the ledger is append-only: an entry follows the last' USING ERRCODE = 'serialization_failure';
  END IF;
  RETURN NEW;
END
"""
_SETTINGS = '{"search_path=pg_catalog, pg_temp"}'

# Released steps are never edited. A later step is a further tuple, and only adds. `kind` is not held to a list, so that
# a kind can be added without a step.
SCHEMA_STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE watchfloor.schema_step (
  number integer PRIMARY KEY CHECK (number >= 1),
  taken_at timestamptz NOT NULL DEFAULT now()
)""",
        """CREATE TABLE watchfloor.entry (
  seq bigint PRIMARY KEY CHECK (seq >= 1),
  id text COLLATE "C" NOT NULL UNIQUE CHECK (id = 'e' || seq::text),
  recorded_at text COLLATE "C" NOT NULL CHECK (length(recorded_at) = 27),
  author text COLLATE "C" NOT NULL CHECK (author <> ''),
  study text COLLATE "C" NOT NULL CHECK (study <> ''),
  kind text COLLATE "C" NOT NULL CHECK (kind <> ''),
  payload text COLLATE "C" NOT NULL CHECK (payload LIKE '{%}'),
  prev text COLLATE "C" NOT NULL UNIQUE CHECK (length(prev) = 64),
  hash text COLLATE "C" NOT NULL UNIQUE CHECK (length(hash) = 64)
)""",
        "CREATE INDEX entry_by_study ON watchfloor.entry (study, seq)",
        f"""CREATE FUNCTION watchfloor.refuse_change() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $${_REFUSE}$$""",
        f"""CREATE FUNCTION watchfloor.follow_the_last() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $${_FOLLOW}$$""",
        """CREATE TRIGGER entry_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON watchfloor.entry
FOR EACH STATEMENT EXECUTE FUNCTION watchfloor.refuse_change()""",
        """CREATE TRIGGER entry_follows_the_last BEFORE INSERT ON watchfloor.entry
FOR EACH ROW EXECUTE FUNCTION watchfloor.follow_the_last()""",
        """CREATE TRIGGER step_is_never_changed BEFORE UPDATE OR DELETE OR TRUNCATE ON watchfloor.schema_step
FOR EACH STATEMENT EXECUTE FUNCTION watchfloor.refuse_change()""",
        "ALTER TABLE watchfloor.entry ENABLE ALWAYS TRIGGER entry_is_never_changed",
        "ALTER TABLE watchfloor.entry ENABLE ALWAYS TRIGGER entry_follows_the_last",
        "ALTER TABLE watchfloor.schema_step ENABLE ALWAYS TRIGGER step_is_never_changed",
        "REVOKE ALL ON watchfloor.entry, watchfloor.schema_step FROM PUBLIC",
        "REVOKE UPDATE, DELETE, TRUNCATE ON watchfloor.entry, watchfloor.schema_step FROM CURRENT_USER",
    ),
    (
        """CREATE TABLE watchfloor.account (
  name text COLLATE "C" PRIMARY KEY CHECK (name <> ''),
  folded text COLLATE "C" NOT NULL UNIQUE CHECK (folded <> ''),
  role text COLLATE "C" NOT NULL CHECK (role <> ''),
  password text COLLATE "C" NOT NULL CHECK (password <> ''),
  password_set_at text COLLATE "C" NOT NULL CHECK (length(password_set_at) = 27),
  added_at text COLLATE "C" NOT NULL CHECK (length(added_at) = 27),
  closed_at text COLLATE "C" CHECK (length(closed_at) = 27)
)""",
        """CREATE TABLE watchfloor.round (
  id bigint PRIMARY KEY CHECK (id >= 1),
  study text COLLATE "C" NOT NULL CHECK (study <> ''),
  indicator text COLLATE "C" NOT NULL CHECK (indicator <> ''),
  revision text COLLATE "C" NOT NULL CHECK (revision <> ''),
  opened_by text COLLATE "C" NOT NULL CHECK (opened_by <> ''),
  opened_at text COLLATE "C" NOT NULL CHECK (length(opened_at) = 27),
  closed_at text COLLATE "C" CHECK (length(closed_at) = 27)
)""",
        "CREATE INDEX round_by_study ON watchfloor.round (study, id)",
        "CREATE UNIQUE INDEX round_open_on_indicator ON watchfloor.round (study, indicator) WHERE closed_at IS NULL",
        """CREATE TABLE watchfloor.judgement (
  round bigint NOT NULL CHECK (round >= 1),
  person text COLLATE "C" NOT NULL CHECK (person <> ''),
  given text COLLATE "C" CHECK (given LIKE '{%}'),
  given_at text COLLATE "C" CHECK (length(given_at) = 27),
  PRIMARY KEY (round, person),
  CHECK ((given IS NULL) = (given_at IS NULL))
)""",
        "REVOKE ALL ON watchfloor.account, watchfloor.round, watchfloor.judgement FROM PUBLIC",
        "REVOKE DELETE, TRUNCATE ON watchfloor.account, watchfloor.round, watchfloor.judgement FROM CURRENT_USER",
    ),
)

SELECT_SCHEMA = """WITH relations AS (
  SELECT * FROM pg_catalog.pg_class WHERE relnamespace = to_regnamespace('watchfloor')
)
SELECT 'table', relname::text,
    concat_ws(' ', relkind, relpersistence, relrowsecurity, relforcerowsecurity)
  FROM relations WHERE relkind <> 'i'
UNION ALL SELECT 'column', relname || '.' || attname,
    concat_ws(' ', pg_catalog.format_type(atttypid, atttypmod), collname, CASE WHEN attnotnull THEN 'not null' END,
      nullif(attgenerated::text, ''), nullif(attidentity::text, ''), pg_catalog.pg_get_expr(adbin, adrelid))
  FROM relations JOIN pg_catalog.pg_attribute ON attrelid = relations.oid
    LEFT JOIN pg_catalog.pg_collation ON pg_collation.oid = attcollation
    LEFT JOIN pg_catalog.pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE relkind <> 'i' AND attnum > 0 AND NOT attisdropped
UNION ALL SELECT 'constraint', conname::text, pg_catalog.pg_get_constraintdef(pg_constraint.oid)
  FROM relations JOIN pg_catalog.pg_constraint ON conrelid = relations.oid WHERE contype <> 'n'
UNION ALL SELECT 'index', relname::text,
    concat_ws(' ', pg_catalog.pg_get_indexdef(indexrelid), CASE WHEN NOT (indisvalid AND indisready) THEN 'void' END)
  FROM relations JOIN pg_catalog.pg_index ON indexrelid = relations.oid
UNION ALL SELECT 'trigger', tgname::text, concat_ws(' ', pg_catalog.pg_get_triggerdef(pg_trigger.oid), tgenabled)
  FROM relations JOIN pg_catalog.pg_trigger ON tgrelid = relations.oid WHERE NOT tgisinternal
UNION ALL SELECT 'rule', rulename::text, ''
  FROM relations JOIN pg_catalog.pg_rewrite ON ev_class = relations.oid
UNION ALL SELECT 'policy', polname::text, '' FROM relations JOIN pg_catalog.pg_policy ON polrelid = relations.oid
UNION ALL SELECT 'heir', inhrelid::text, '' FROM relations JOIN pg_catalog.pg_inherits ON inhparent = relations.oid
UNION ALL SELECT 'function', proname::text, concat_ws(' ', lanname, prosecdef, proconfig, prosrc)
  FROM pg_catalog.pg_proc JOIN pg_catalog.pg_language ON pg_language.oid = prolang
  WHERE pronamespace = to_regnamespace('watchfloor')"""
"""Everything in the schema, a row each: what it is, its name, and what makes it what it is."""

_TEXT = "text C not null"
_TEXT_OR_NOT = "text C"
_AS_MADE = {
    ("table", "entry"): "r p f f",
    ("table", "schema_step"): "r p f f",
    ("column", "entry.seq"): "bigint not null",
    ("column", "entry.id"): _TEXT,
    ("column", "entry.recorded_at"): _TEXT,
    ("column", "entry.author"): _TEXT,
    ("column", "entry.study"): _TEXT,
    ("column", "entry.kind"): _TEXT,
    ("column", "entry.payload"): _TEXT,
    ("column", "entry.prev"): _TEXT,
    ("column", "entry.hash"): _TEXT,
    ("column", "schema_step.number"): "integer not null",
    ("column", "schema_step.taken_at"): "timestamp with time zone not null now()",
    ("constraint", "entry_author_check"): "CHECK ((author <> ''::text))",
    ("constraint", "entry_check"): "CHECK ((id = ('e'::text || (seq)::text)))",
    ("constraint", "entry_hash_check"): "CHECK ((length(hash) = 64))",
    ("constraint", "entry_hash_key"): "UNIQUE (hash)",
    ("constraint", "entry_id_key"): "UNIQUE (id)",
    ("constraint", "entry_kind_check"): "CHECK ((kind <> ''::text))",
    ("constraint", "entry_payload_check"): "CHECK ((payload ~~ '{%}'::text))",
    ("constraint", "entry_pkey"): "PRIMARY KEY (seq)",
    ("constraint", "entry_prev_check"): "CHECK ((length(prev) = 64))",
    ("constraint", "entry_prev_key"): "UNIQUE (prev)",
    ("constraint", "entry_recorded_at_check"): "CHECK ((length(recorded_at) = 27))",
    ("constraint", "entry_seq_check"): "CHECK ((seq >= 1))",
    ("constraint", "entry_study_check"): "CHECK ((study <> ''::text))",
    ("constraint", "schema_step_number_check"): "CHECK ((number >= 1))",
    ("constraint", "schema_step_pkey"): "PRIMARY KEY (number)",
    ("index", "entry_by_study"): "CREATE INDEX entry_by_study ON watchfloor.entry USING btree (study, seq)",
    ("index", "entry_hash_key"): "CREATE UNIQUE INDEX entry_hash_key ON watchfloor.entry USING btree (hash)",
    ("index", "entry_id_key"): "CREATE UNIQUE INDEX entry_id_key ON watchfloor.entry USING btree (id)",
    ("index", "entry_pkey"): "CREATE UNIQUE INDEX entry_pkey ON watchfloor.entry USING btree (seq)",
    ("index", "entry_prev_key"): "CREATE UNIQUE INDEX entry_prev_key ON watchfloor.entry USING btree (prev)",
    ("index", "schema_step_pkey"): (
        "CREATE UNIQUE INDEX schema_step_pkey ON watchfloor.schema_step USING btree (number)"
    ),
    # The A at the end: for every session, those included that play back what another server has written.
    ("trigger", "entry_follows_the_last"): (
        "CREATE TRIGGER entry_follows_the_last BEFORE INSERT ON watchfloor.entry"
        " FOR EACH ROW EXECUTE FUNCTION watchfloor.follow_the_last() A"
    ),
    ("trigger", "entry_is_never_changed"): (
        "CREATE TRIGGER entry_is_never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON watchfloor.entry"
        " FOR EACH STATEMENT EXECUTE FUNCTION watchfloor.refuse_change() A"
    ),
    ("trigger", "step_is_never_changed"): (
        "CREATE TRIGGER step_is_never_changed BEFORE DELETE OR UPDATE OR TRUNCATE ON watchfloor.schema_step"
        " FOR EACH STATEMENT EXECUTE FUNCTION watchfloor.refuse_change() A"
    ),
    ("table", "account"): "r p f f",
    ("table", "judgement"): "r p f f",
    ("table", "round"): "r p f f",
    ("column", "account.name"): _TEXT,
    ("column", "account.folded"): _TEXT,
    ("column", "account.role"): _TEXT,
    ("column", "account.password"): _TEXT,
    ("column", "account.password_set_at"): _TEXT,
    ("column", "account.added_at"): _TEXT,
    ("column", "account.closed_at"): _TEXT_OR_NOT,
    ("column", "round.id"): "bigint not null",
    ("column", "round.study"): _TEXT,
    ("column", "round.indicator"): _TEXT,
    ("column", "round.revision"): _TEXT,
    ("column", "round.opened_by"): _TEXT,
    ("column", "round.opened_at"): _TEXT,
    ("column", "round.closed_at"): _TEXT_OR_NOT,
    ("column", "judgement.round"): "bigint not null",
    ("column", "judgement.person"): _TEXT,
    ("column", "judgement.given"): _TEXT_OR_NOT,
    ("column", "judgement.given_at"): _TEXT_OR_NOT,
    ("constraint", "account_added_at_check"): "CHECK ((length(added_at) = 27))",
    ("constraint", "account_closed_at_check"): "CHECK ((length(closed_at) = 27))",
    ("constraint", "account_folded_check"): "CHECK ((folded <> ''::text))",
    ("constraint", "account_folded_key"): "UNIQUE (folded)",
    ("constraint", "account_name_check"): "CHECK ((name <> ''::text))",
    ("constraint", "account_password_check"): "CHECK ((password <> ''::text))",
    ("constraint", "account_password_set_at_check"): "CHECK ((length(password_set_at) = 27))",
    ("constraint", "account_pkey"): "PRIMARY KEY (name)",
    ("constraint", "account_role_check"): "CHECK ((role <> ''::text))",
    ("constraint", "judgement_check"): "CHECK (((given IS NULL) = (given_at IS NULL)))",
    ("constraint", "judgement_given_at_check"): "CHECK ((length(given_at) = 27))",
    ("constraint", "judgement_given_check"): "CHECK ((given ~~ '{%}'::text))",
    ("constraint", "judgement_person_check"): "CHECK ((person <> ''::text))",
    ("constraint", "judgement_pkey"): "PRIMARY KEY (round, person)",
    ("constraint", "judgement_round_check"): "CHECK ((round >= 1))",
    ("constraint", "round_closed_at_check"): "CHECK ((length(closed_at) = 27))",
    ("constraint", "round_id_check"): "CHECK ((id >= 1))",
    ("constraint", "round_indicator_check"): "CHECK ((indicator <> ''::text))",
    ("constraint", "round_opened_at_check"): "CHECK ((length(opened_at) = 27))",
    ("constraint", "round_opened_by_check"): "CHECK ((opened_by <> ''::text))",
    ("constraint", "round_pkey"): "PRIMARY KEY (id)",
    ("constraint", "round_revision_check"): "CHECK ((revision <> ''::text))",
    ("constraint", "round_study_check"): "CHECK ((study <> ''::text))",
    ("index", "account_folded_key"): (
        "CREATE UNIQUE INDEX account_folded_key ON watchfloor.account USING btree (folded)"
    ),
    ("index", "account_pkey"): "CREATE UNIQUE INDEX account_pkey ON watchfloor.account USING btree (name)",
    ("index", "judgement_pkey"): (
        "CREATE UNIQUE INDEX judgement_pkey ON watchfloor.judgement USING btree (round, person)"
    ),
    ("index", "round_by_study"): "CREATE INDEX round_by_study ON watchfloor.round USING btree (study, id)",
    ("index", "round_open_on_indicator"): (
        "CREATE UNIQUE INDEX round_open_on_indicator ON watchfloor.round USING btree (study, indicator)"
        " WHERE (closed_at IS NULL)"
    ),
    ("index", "round_pkey"): "CREATE UNIQUE INDEX round_pkey ON watchfloor.round USING btree (id)",
    ("function", "follow_the_last"): f"plpgsql f {_SETTINGS} {_FOLLOW}",
    ("function", "refuse_change"): f"plpgsql f {_SETTINGS} {_REFUSE}",
}


def schema_fault(rows: Iterable[tuple[str, str, str]]) -> str | None:
    """What is not as the steps made it, as a sentence without a full stop; None when all is.

    Parameters
    ----------
    rows : iterable of (what, name, make)
        As `SELECT_SCHEMA` gives them.
    """
    found = {(what, name): make for what, name, make in rows}
    for (what, name), make in sorted(_AS_MADE.items()):
        if found.get((what, name)) != make:
            return f'the {what} "{name}" is {"not as it was made" if (what, name) in found else "missing"}'
    if len(found) > len(_AS_MADE):
        return "there are tables, indexes, triggers or functions in it that a ledger does not have"
    return None
