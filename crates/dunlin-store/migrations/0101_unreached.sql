-- Whom a message could not be sent to: one task says so, once.

-- The tables of a message's audience, e.g. `atlas.people`.
alter table tell_messages add column audience text;

create table tell_unreached (
  notice text not null,
  version bigint not null,
  message text not null,
  -- The task that was made; it may be done or deleted by now.
  task text not null,
  primary key (notice, version, message)
);
