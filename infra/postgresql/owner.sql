-- Gives a ledger that the workers' role still owns to an owner of its own; on any other it changes nothing.
-- `make -C infra upgrade` runs it in the database `lethe`; after that `lethe db grant lethe` names what workers may do.
\getenv owner_password LETHE_OWNER_DATABASE_PASSWORD

SELECT 'CREATE ROLE lethe_owner LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'lethe_owner') \gexec
ALTER ROLE lethe_owner PASSWORD :'owner_password';
REASSIGN OWNED BY lethe TO lethe_owner;
GRANT CONNECT ON DATABASE lethe TO lethe;
