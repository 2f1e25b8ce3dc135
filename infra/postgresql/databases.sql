-- One database and one role for each service; no role gets into another's database. The ledger has two: the owner of
-- its tables, who migrates them, and `lethe`, the workers', which `lethe db grant` lets claim requests and add events.
-- PostgreSQL's image runs this once, when its volume is empty; owner.sql does the same for a ledger from before.
-- Passwords are read from the environment by psql itself (from version 15 on), so that they stand in no command line.
\getenv prefect_password PREFECT_DATABASE_PASSWORD
\getenv mlflow_password MLFLOW_DATABASE_PASSWORD
\getenv lethe_password LETHE_DATABASE_PASSWORD
\getenv owner_password LETHE_OWNER_DATABASE_PASSWORD

CREATE ROLE prefect LOGIN PASSWORD :'prefect_password';
CREATE ROLE mlflow LOGIN PASSWORD :'mlflow_password';
CREATE ROLE lethe LOGIN PASSWORD :'lethe_password';
CREATE ROLE lethe_owner LOGIN PASSWORD :'owner_password';

CREATE DATABASE prefect OWNER prefect;
CREATE DATABASE mlflow OWNER mlflow;
CREATE DATABASE lethe OWNER lethe_owner;

REVOKE ALL ON DATABASE postgres, template1, prefect, mlflow, lethe FROM PUBLIC;
GRANT CONNECT ON DATABASE lethe TO lethe;
