create schema "s.dot"; create schema "UPPER"; create schema "ünï";
create table "People" (id int primary key, v text); insert into "People" values (1,'a');
create table people (id int primary key, v text); insert into people values (2,'b');
create table "PEOPLE" (id int primary key, v text); insert into "PEOPLE" values (3,'c');
create table "s.dot"."t.dot" ("a.b" int primary key, "c.d" text); insert into "s.dot"."t.dot" values (1,'x');
create table "UPPER"."select" ("from" int, "where" text, "group" uuid default gen_random_uuid(), primary key ("from","where"));
insert into "UPPER"."select" values (1,'x'),(1,'y');
create table "ünï"."täble with a name of exactly sixty three bytes 0123456789abcxx" ("cölumn with a name of exactly sixty three bytes 01234567890abc" int primary key, "q""uote" text, "back\slash" text, "new
line" text, "tab	x" text, "%s" text, "${x}" text, "'" text, ";--" text, " lead" text, "trail " text, "🦆" text, "1abc" int, "true" bool, "null" text, "position" int, "row" int, "order" int, "user" text, "table" text, "limit" int, "offset" int, "_dunlin" int, "ctid2" int, "TABLEOID2" int);
insert into "ünï"."täble with a name of exactly sixty three bytes 0123456789abcxx" values (1,'q','b','n','t','p','d','a','s','l','t','🦆',1,true,'n',1,2,3,'u','t',1,2,3,4,5);
create table """" (id int primary key, """" int); 
insert into """" values (1, 2);
create table " " (id int primary key); insert into " " values (7);
create table "a""b" (id serial primary key, v text); insert into "a""b" (v) values ('x'),('y');
create table "percent%d" (id int primary key); insert into "percent%d" values (1);
create table "sla/sh\" (id int primary key); insert into "sla/sh\" values (1);
create table "$1" (id int primary key, "$2" text); insert into "$1" values (1,'x');
create table "new
line" (id int primary key); insert into "new
line" values (1);
create table "emoji 🦆" (id int primary key); insert into "emoji 🦆" values (1);
