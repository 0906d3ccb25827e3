-- What speaks for a pair that may stand for one, and who decided on it.

-- A column each, as JSON: `[{"column", "level", "bits"}]`. How far two rows agree and what that weighs, never a value;
-- null for pairs of runs from before.
alter table duplicate_pairs add column evidence text;

-- Who decided, as in the ledger; null for what was decided before.
alter table duplicate_decisions add column actor text;
